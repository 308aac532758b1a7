//! The sum of one window: every point is added to the bucket of its digit.
//!
//! Points are read in order and buckets stay in the second level of cache. A full batch of
//! additions shares one field inversion; a slot takes part in a batch once, and a point that
//! finds its slot taken waits for the next batch. A bucket of many points has many slots, so
//! that hardly any point has to wait whatever the digits are.

use ark_ec::{
    short_weierstrass::{Affine, Bucket, Projective, SWCurveConfig},
    AffineRepr,
};
use ark_ff::{AdditiveGroup, Field};

/// Additions that share one field inversion.
const BATCH: usize = 512;
/// Slots that buckets of many points share, beside one slot for each bucket.
const SHARED_SLOTS: usize = 8 * BATCH;

/// `sum of digit[i] * bases[i]`.
pub fn window_sum<C: SWCurveConfig>(bases: &[Affine<C>], digits: &[i32]) -> Projective<C> {
    let mut buckets = Buckets::new(digits);
    for (base, digit) in bases.iter().zip(digits) {
        if *digit != 0 && !base.is_zero() {
            let point = Point { x: base.x, y: if *digit < 0 { -base.y } else { base.y } };
            buckets.add(digit.unsigned_abs() as usize, point);
        }
    }
    buckets.weighted_sum()
}

/// An affine point; infinity is (0, 0), which lies on no curve used here.
struct Point<C: SWCurveConfig> {
    x: C::BaseField,
    y: C::BaseField,
}

impl<C: SWCurveConfig> Clone for Point<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: SWCurveConfig> Copy for Point<C> {}

impl<C: SWCurveConfig> Point<C> {
    const INFINITY: Self = Self { x: C::BaseField::ZERO, y: C::BaseField::ZERO };

    fn is_infinity(&self) -> bool {
        self.x == C::BaseField::ZERO && self.y == C::BaseField::ZERO
    }
}

/// The buckets of one window.
struct Buckets<C: SWCurveConfig> {
    slots: Vec<Point<C>>,
    /// Is an addition to this slot in the batch?
    taken: Vec<bool>,
    /// Where each bucket's slots begin, and where the last one's end.
    starts: Vec<u32>,
    /// The slot that each bucket's next point goes to.
    next: Vec<u32>,
    batch: Batch<C>,
    /// Points whose slot was taken.
    waiting: Vec<(u32, Point<C>)>,
}

impl<C: SWCurveConfig> Buckets<C> {
    /// Empty buckets, with slots in proportion to the points that will come.
    fn new(digits: &[i32]) -> Self {
        let largest = digits.iter().map(|d| d.unsigned_abs() as usize).max().unwrap_or(0);
        let mut counts = vec![0usize; largest + 1];
        for digit in digits {
            counts[digit.unsigned_abs() as usize] += 1;
        }
        counts[0] = 0;
        let total = counts.iter().sum::<usize>().max(1);
        let mut slots = 0;
        let mut starts = Vec::with_capacity(counts.len() + 1);
        for count in counts {
            starts.push(slots);
            slots += (count.min(1) + count * SHARED_SLOTS / total) as u32;
        }
        let next = starts.clone();
        starts.push(slots);
        Self {
            slots: vec![Point::INFINITY; slots as usize],
            taken: vec![false; slots as usize],
            starts,
            next,
            batch: Batch::default(),
            waiting: Vec::new(),
        }
    }

    fn add(&mut self, bucket: usize, point: Point<C>) {
        let slot = self.next[bucket];
        let following = slot + 1;
        self.next[bucket] =
            if following == self.starts[bucket + 1] { self.starts[bucket] } else { following };
        self.add_to_slot(slot, point);
        if self.batch.is_full() {
            self.flush();
        }
    }

    fn add_to_slot(&mut self, slot: u32, point: Point<C>) {
        let index = slot as usize;
        if self.taken[index] {
            self.waiting.push((slot, point));
        } else if self.slots[index].is_infinity() {
            self.slots[index] = point;
        } else {
            self.taken[index] = true;
            self.batch.push(slot, point);
        }
    }

    /// Does the additions of the batch, and fills it with those that waited.
    fn flush(&mut self) {
        self.batch.add_all(&mut self.slots);
        for slot in self.batch.indices.drain(..) {
            self.taken[slot as usize] = false;
        }
        for (slot, point) in std::mem::take(&mut self.waiting) {
            self.add_to_slot(slot, point);
        }
    }

    /// `sum of b * bucket[b]`.
    fn weighted_sum(mut self) -> Projective<C> {
        while !self.batch.indices.is_empty() {
            self.flush();
        }
        if self.starts.len() > MANY {
            return self.weighted_sum_of_many();
        }
        let mut running = Bucket::<C>::ZERO;
        let mut total = Bucket::<C>::ZERO;
        for slots in self.starts.windows(2).skip(1).rev() {
            for point in &self.slots[slots[0] as usize..slots[1] as usize] {
                if !point.is_infinity() {
                    running += &Affine::new_unchecked(point.x, point.y);
                }
            }
            total += &running;
        }
        total.into()
    }
}

/// From how many buckets on they are summed by two smaller window sums.
const MANY: usize = 1 << 10;

impl<C: SWCurveConfig> Buckets<C> {
    /// `sum of b * bucket[b]` with `b = 2^low * high(b) + low(b)`: two sums over the buckets with
    /// digits of half the length, whose additions share inversions again.
    fn weighted_sum_of_many(self) -> Projective<C> {
        let low_bits = self.starts.len().ilog2() / 2;
        let low_mask = (1 << low_bits) - 1;
        let (mut points, mut high, mut low) = (Vec::new(), Vec::new(), Vec::new());
        for (bucket, slots) in (0i32..).zip(self.starts.windows(2)) {
            for point in &self.slots[slots[0] as usize..slots[1] as usize] {
                if !point.is_infinity() {
                    points.push(Affine::new_unchecked(point.x, point.y));
                    high.push(bucket >> low_bits);
                    low.push(bucket & low_mask);
                }
            }
        }
        let mut sum: Projective<C> = window_sum(&points, &high);
        for _ in 0..low_bits {
            sum.double_in_place();
        }
        sum + window_sum(&points, &low)
    }
}

/// Additions to slots that wait to be done together.
struct Batch<C: SWCurveConfig> {
    indices: Vec<u32>,
    points: Vec<Point<C>>,
    /// The denominators of the slopes, 1 where a sum needs none.
    denominators: Vec<C::BaseField>,
    /// The product of the denominators before each.
    products: Vec<C::BaseField>,
}

impl<C: SWCurveConfig> Default for Batch<C> {
    fn default() -> Self {
        Self {
            indices: Vec::with_capacity(BATCH),
            points: Vec::with_capacity(BATCH),
            denominators: Vec::with_capacity(BATCH),
            products: Vec::with_capacity(BATCH),
        }
    }
}

impl<C: SWCurveConfig> Batch<C> {
    fn is_full(&self) -> bool {
        self.indices.len() >= BATCH
    }

    fn push(&mut self, slot: u32, point: Point<C>) {
        self.indices.push(slot);
        self.points.push(point);
    }

    /// Adds every point to its slot with one inversion, by Montgomery's trick. The points are
    /// taken out; the indices stay.
    fn add_all(&mut self, slots: &mut [Point<C>]) {
        let mut product = C::BaseField::ONE;
        for (slot, point) in self.indices.iter().zip(&self.points) {
            let denominator = denominator(&slots[*slot as usize], point);
            self.denominators.push(denominator);
            self.products.push(product);
            product *= &denominator;
        }
        let mut inverse = product.inverse().expect("no denominator is zero");
        let pairs = self.indices.iter().zip(self.points.drain(..));
        let scalars = self.denominators.drain(..).zip(self.products.drain(..));
        for ((slot, point), (denominator, before)) in pairs.zip(scalars).rev() {
            let slot = &mut slots[*slot as usize];
            *slot = add(slot, &point, inverse * before);
            inverse *= &denominator;
        }
    }
}

/// The denominator of the slope through two points, 1 where the sum needs no slope.
fn denominator<C: SWCurveConfig>(left: &Point<C>, right: &Point<C>) -> C::BaseField {
    let difference = right.x - left.x;
    if difference != C::BaseField::ZERO && !left.is_infinity() {
        return difference;
    }
    if left.y == right.y && left.y != C::BaseField::ZERO {
        return left.y.double();
    }
    C::BaseField::ONE
}

/// The sum, given the inverse of its [`denominator`]. `right` is not infinity.
fn add<C: SWCurveConfig>(left: &Point<C>, right: &Point<C>, inverse: C::BaseField) -> Point<C> {
    if left.is_infinity() {
        return *right;
    }
    let slope = if left.x != right.x {
        (right.y - left.y) * inverse
    } else if left.y == right.y && left.y != C::BaseField::ZERO {
        let square = left.x.square();
        (square.double() + square + C::COEFF_A) * inverse
    } else {
        return Point::INFINITY;
    };
    let x = slope.square() - left.x - right.x;
    Point { x, y: slope * (left.x - x) - left.y }
}
