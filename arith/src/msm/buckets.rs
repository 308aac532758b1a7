//! The sum of one window: every point is added to the bucket of its digit.
//!
//! Points are processed in order. The additions of a batch share one field inversion. A batch
//! contains at most one addition per slot; further points for that slot wait for the next batch. A
//! bucket of many points has many slots, so that few points wait, whatever the digits are.

use ark_ec::short_weierstrass::{Bucket as Sum, Projective, SWCurveConfig};
use ark_ff::AdditiveGroup;

use super::additions::Additions;

/// The most additions in a batch: their slots and points fit the second-level cache.
const MAX_BATCH: usize = 1024;
/// The fewest additions in a batch, unless there are fewer in total.
const MIN_BATCH: usize = 128;
/// A batch has at most one addition per this many slots, so that few points have to wait.
const SLOTS_PER_ADDITION: usize = 3;
/// The most slots in addition to one per bucket. Buckets share them in proportion to their points.
const MAX_SHARED_SLOTS: usize = 4096;
/// Points per additional slot, on average. With fewer, summing the slots would cost more than the
/// waiting points.
const POINTS_PER_SHARED_SLOT: usize = 8;

/// `sum of digit[i] * points[i]`.
pub fn window_sum<C: SWCurveConfig, A: Additions<C>>(
    additions: A,
    points: &[A::Point],
    digits: &[i32],
) -> Projective<C> {
    let mut buckets = Buckets::new(additions, digits);
    for (point, digit) in points.iter().zip(digits) {
        if *digit != 0 && !additions.is_identity(point) {
            let point = if *digit < 0 { additions.negate(point) } else { *point };
            buckets.add(digit.unsigned_abs() as usize, point);
        }
    }
    buckets.weighted_sum()
}

/// A bucket. Its slots receive points in turn.
#[derive(Clone, Copy)]
struct Bucket {
    first: u32,
    slots: u16,
    /// Index of the slot for the next point, from the bucket's first slot.
    next: u16,
}

/// The state of a slot. States are stored apart from the slots: a slot is read only in a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    Filled,
    /// The batch contains an addition to the slot.
    Busy,
}

/// The buckets of one window.
struct Buckets<C: SWCurveConfig, A: Additions<C>> {
    additions: A,
    /// Number of additions in a batch.
    batch: usize,
    buckets: Vec<Bucket>,
    slots: Vec<A::Point>,
    states: Vec<State>,
    /// The additions of the next batch: slots, and the points to add to them.
    indices: Vec<u32>,
    points: Vec<A::Point>,
    scratch: A::Scratch,
    /// Points whose slot is busy.
    waiting: Vec<(u32, A::Point)>,
}

impl<C: SWCurveConfig, A: Additions<C>> Buckets<C, A> {
    /// Empty buckets, with slots in proportion to the number of points of each digit.
    fn new(additions: A, digits: &[i32]) -> Self {
        let largest = digits.iter().map(|d| d.unsigned_abs() as usize).max().unwrap_or(0);
        let mut counts = vec![0usize; largest + 1];
        for digit in digits {
            counts[digit.unsigned_abs() as usize] += 1;
        }
        counts[0] = 0;
        let total = counts.iter().sum::<usize>().max(1);
        let shared = MAX_SHARED_SLOTS.min(total / POINTS_PER_SHARED_SLOT);
        let mut first = 0;
        let mut buckets = Vec::with_capacity(counts.len());
        for count in counts {
            let slots = (count.min(1) + count * shared / total) as u16;
            buckets.push(Bucket { first, slots, next: 0 });
            first += u32::from(slots);
        }
        let batch = (first as usize / SLOTS_PER_ADDITION).clamp(MIN_BATCH, MAX_BATCH);
        Self {
            additions,
            batch,
            buckets,
            slots: vec![additions.identity(); first as usize],
            states: vec![State::Empty; first as usize],
            indices: Vec::with_capacity(batch),
            points: Vec::with_capacity(batch),
            scratch: A::Scratch::default(),
            waiting: Vec::new(),
        }
    }

    fn add(&mut self, bucket: usize, point: A::Point) {
        let Bucket { first, slots, next } = &mut self.buckets[bucket];
        let slot = *first + u32::from(*next);
        *next = if *next + 1 == *slots { 0 } else { *next + 1 };
        self.add_to_slot(slot, point);
        if self.indices.len() >= self.batch {
            self.flush();
        }
    }

    fn add_to_slot(&mut self, slot: u32, point: A::Point) {
        let state = &mut self.states[slot as usize];
        match state {
            State::Busy => self.waiting.push((slot, point)),
            State::Empty => {
                *state = State::Filled;
                self.slots[slot as usize] = point;
            }
            State::Filled => {
                *state = State::Busy;
                self.indices.push(slot);
                self.points.push(point);
            }
        }
    }

    /// Computes the additions of the batch, and starts the next batch with the waiting points.
    fn flush(&mut self) {
        let Self { slots, indices, points, scratch, .. } = self;
        // Reads all slots first, so that their cache misses overlap.
        for slot in indices.iter() {
            std::hint::black_box(self.additions.is_identity(&slots[*slot as usize]));
        }
        self.additions.add_all(slots, indices, points, scratch);
        self.points.clear();
        for slot in self.indices.drain(..) {
            let identity = self.additions.is_identity(&self.slots[slot as usize]);
            self.states[slot as usize] = if identity { State::Empty } else { State::Filled };
        }
        for (slot, point) in std::mem::take(&mut self.waiting) {
            self.add_to_slot(slot, point);
        }
    }

    /// The slots of each bucket, in the order of the buckets.
    fn slots(&self) -> impl DoubleEndedIterator<Item = &[A::Point]> + ExactSizeIterator {
        self.buckets.iter().map(|Bucket { first, slots, .. }| {
            let first = *first as usize;
            &self.slots[first..first + usize::from(*slots)]
        })
    }

    /// `sum of b * bucket[b]`.
    fn weighted_sum(mut self) -> Projective<C> {
        while !self.indices.is_empty() {
            self.flush();
        }
        if self.buckets.len() > MANY {
            return self.weighted_sum_of_many();
        }
        let mut running = Sum::<C>::ZERO;
        let mut total = Sum::<C>::ZERO;
        for slots in self.slots().skip(1).rev() {
            for point in slots {
                if !self.additions.is_identity(point) {
                    running += &self.additions.affine(point);
                }
            }
            total += &running;
        }
        total.into()
    }
}

/// Above this number, buckets are summed by two smaller window sums.
const MANY: usize = 1 << 10;

impl<C: SWCurveConfig, A: Additions<C>> Buckets<C, A> {
    /// `sum of b * bucket[b]` with `b = 2^low_bits * high(b) + low(b)`: two window sums over the
    /// buckets, with digits of half the length. Their additions share inversions too.
    fn weighted_sum_of_many(self) -> Projective<C> {
        let low_bits = self.buckets.len().ilog2() / 2;
        let low_mask = (1 << low_bits) - 1;
        let (mut points, mut high, mut low) = (Vec::new(), Vec::new(), Vec::new());
        for (bucket, slots) in (0i32..).zip(self.slots()) {
            for point in slots {
                if !self.additions.is_identity(point) {
                    points.push(*point);
                    high.push(bucket >> low_bits);
                    low.push(bucket & low_mask);
                }
            }
        }
        let mut sum: Projective<C> = window_sum(self.additions, &points, &high);
        for _ in 0..low_bits {
            sum.double_in_place();
        }
        sum + window_sum(self.additions, &points, &low)
    }
}
