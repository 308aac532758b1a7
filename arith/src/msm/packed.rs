//! Points added four at a time, in the lanes of AVX2.
//!
//! Coordinates are words that stand for a number divided by `2^261` and need not be reduced: what
//! an addition leaves in a slot is below `q + q / 2^10` (see [`crate::packed`]).

use crate::packed::{
    difference, reduced, Columns, Element, Lanes, NullaryFnOnce, Words, EXTRA_BITS, LANES,
};
use ark_bn254::{Fq, Fq2, Fr};
use ark_ec::{
    short_weierstrass::{Affine, SWCurveConfig},
    AffineRepr, CurveGroup,
};
use ark_ff::{AdditiveGroup, Field};

use super::additions::{ready, Additions, Curve, Multiples, OneByOne, Point, Ready};

/// Arithmetic on four elements of a field.
trait LaneField: Copy + Send + Sync + 'static {
    type Field: Field;
    /// A coordinate at rest.
    type Words: Copy + PartialEq + Send + Sync;
    /// Four coordinates at work.
    type Element: Copy;
    const ZERO: Self::Words;

    /// `None` if the processor lacks AVX2.
    fn new() -> Option<Self>;
    fn run<T: NullaryFnOnce>(self, task: T) -> T::Output;
    fn words(self, x: &Self::Field) -> Self::Words;
    fn field(self, words: &Self::Words) -> Self::Field;
    /// Of words below 2 q.
    fn negate(self, words: &Self::Words) -> Self::Words;
    fn load(self, words: [&Self::Words; LANES]) -> Self::Element;
    fn store(self, element: &Self::Element) -> [Self::Words; LANES];
    /// `a - b`, not reduced.
    fn subtract(self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `2 * x` of loaded x.
    fn double(self, x: &Self::Element) -> Self::Element;
    /// `3 * x * x` of loaded x.
    fn thrice_the_square(self, x: &Self::Element) -> Self::Element;
    /// `a * b` of numbers of which a comes from here, and b from anywhere.
    fn multiply(self, a: &Self::Element, b: &Self::Element) -> Self::Element;
    /// `a * b - c`, with a and b as in `multiply`, and c out of words below 2 q.
    fn multiply_subtract(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
    ) -> Self::Element;
    /// `a * b - c - d`. Of c and d one is below 2 q and the other below 1.5 q.
    fn multiply_subtract_two(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
        d: &Self::Element,
    ) -> Self::Element;
}

/// Elements of a prime field.
#[derive(Clone, Copy)]
struct Prime<W>(Lanes<W>);

impl<W: Words> LaneField for Prime<W> {
    type Field = W;
    type Words = [u64; 4];
    type Element = Element;
    const ZERO: [u64; 4] = [0; 4];

    fn new() -> Option<Self> {
        Lanes::new().map(Self)
    }

    fn run<T: NullaryFnOnce>(self, task: T) -> T::Output {
        self.0.run(task)
    }

    fn words(self, x: &W) -> [u64; 4] {
        *(0..EXTRA_BITS).fold(*x, |x, _| x.double()).words()
    }

    fn field(self, words: &[u64; 4]) -> W {
        // 2^-EXTRA_BITS as arkworks represents it.
        let back = W::from_words([0, 0, 0, 1 << (64 - EXTRA_BITS)]);
        reduced::<W>(*words) * back
    }

    #[inline(always)]
    fn negate(self, words: &[u64; 4]) -> [u64; 4] {
        let [a, b, c, d] = W::MODULUS_WORDS;
        let twice = [a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63];
        difference(twice, words).expect("the words are below 2 q")
    }

    #[inline(always)]
    fn load(self, words: [&[u64; 4]; LANES]) -> Element {
        self.0.load(words, 0)
    }

    #[inline(always)]
    fn store(self, element: &Element) -> [[u64; 4]; LANES] {
        self.0.store(element)
    }

    #[inline(always)]
    fn subtract(self, a: &Element, b: &Element) -> Element {
        self.0.subtract(a, b)
    }

    #[inline(always)]
    fn double(self, x: &Element) -> Element {
        self.0.add(x, x)
    }

    #[inline(always)]
    fn thrice_the_square(self, x: &Element) -> Element {
        let square = self.0.multiply(x, x);
        self.0.add(&self.0.add(&square, &square), &square)
    }

    #[inline(always)]
    fn multiply(self, a: &Element, b: &Element) -> Element {
        self.0.multiply(a, b)
    }

    #[inline(always)]
    fn multiply_subtract(self, a: &Element, b: &Element, c: &Element) -> Element {
        self.0.sum_of_products([(a, b)]).subtract(self.0, c)
    }

    #[inline(always)]
    fn multiply_subtract_two(self, a: &Element, b: &Element, c: &Element, d: &Element) -> Element {
        self.0.sum_of_products([(a, b)]).subtract_two(self.0, c, d)
    }
}

/// Elements `c0 + c1 u` of the quadratic extension, where `u^2 = -1`.
#[derive(Clone, Copy)]
struct Quadratic(Lanes<Fq>);

impl Quadratic {
    /// The columns of `a * b` for both coordinates.
    #[inline(always)]
    fn product(self, a: &[Element; 2], b: &[Element; 2]) -> [Columns; 2] {
        let lanes = self.0;
        let minus_a1 = lanes.subtract(&lanes.zero(), &a[1]);
        [
            lanes.sum_of_products([(&a[0], &b[0]), (&minus_a1, &b[1])]),
            lanes.sum_of_products([(&a[0], &b[1]), (&a[1], &b[0])]),
        ]
    }
}

impl LaneField for Quadratic {
    type Field = Fq2;
    type Words = [[u64; 4]; 2];
    type Element = [Element; 2];
    const ZERO: Self::Words = [[0; 4]; 2];

    fn new() -> Option<Self> {
        Lanes::new().map(Self)
    }

    fn run<T: NullaryFnOnce>(self, task: T) -> T::Output {
        self.0.run(task)
    }

    fn words(self, x: &Fq2) -> Self::Words {
        [x.c0, x.c1].map(|c| Prime(self.0).words(&c))
    }

    fn field(self, words: &Self::Words) -> Fq2 {
        let [c0, c1] = words.map(|words| Prime(self.0).field(&words));
        Fq2::new(c0, c1)
    }

    #[inline(always)]
    fn negate(self, words: &Self::Words) -> Self::Words {
        words.map(|words| Prime(self.0).negate(&words))
    }

    #[inline(always)]
    fn load(self, words: [&Self::Words; LANES]) -> Self::Element {
        let [a, b, c, d] = words;
        [self.0.load([&a[0], &b[0], &c[0], &d[0]], 0), self.0.load([&a[1], &b[1], &c[1], &d[1]], 0)]
    }

    #[inline(always)]
    fn store(self, element: &Self::Element) -> [Self::Words; LANES] {
        let (c0, c1) = (self.0.store(&element[0]), self.0.store(&element[1]));
        [[c0[0], c1[0]], [c0[1], c1[1]], [c0[2], c1[2]], [c0[3], c1[3]]]
    }

    #[inline(always)]
    fn subtract(self, a: &Self::Element, b: &Self::Element) -> Self::Element {
        [
            Columns::new(self.0.subtract(&a[0], &b[0])).tight(self.0),
            Columns::new(self.0.subtract(&a[1], &b[1])).tight(self.0),
        ]
    }

    #[inline(always)]
    fn double(self, x: &Self::Element) -> Self::Element {
        let lanes = self.0;
        [
            Columns::new(lanes.add(&x[0], &x[0])).tight(lanes),
            Columns::new(lanes.add(&x[1], &x[1])).tight(lanes),
        ]
    }

    #[inline(always)]
    fn thrice_the_square(self, x: &Self::Element) -> Self::Element {
        let lanes = self.0;
        let [first, second] = self.multiply(x, x);
        let (twice, twice_u) = (lanes.add(&first, &first), lanes.add(&second, &second));
        [
            Columns::new(lanes.add(&twice, &first)).tight(lanes),
            Columns::new(lanes.add(&twice_u, &second)).tight(lanes),
        ]
    }

    #[inline(always)]
    fn multiply(self, a: &Self::Element, b: &Self::Element) -> Self::Element {
        let [first, second] = self.product(a, b);
        [first.tight(self.0), second.tight(self.0)]
    }

    #[inline(always)]
    fn multiply_subtract(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
    ) -> Self::Element {
        let [first, second] = self.product(a, b);
        [first.subtract(self.0, &c[0]), second.subtract(self.0, &c[1])]
    }

    #[inline(always)]
    fn multiply_subtract_two(
        self,
        a: &Self::Element,
        b: &Self::Element,
        c: &Self::Element,
        d: &Self::Element,
    ) -> Self::Element {
        let [first, second] = self.product(a, b);
        [first.subtract_two(self.0, &c[0], &d[0]), second.subtract_two(self.0, &c[1], &d[1])]
    }
}

/// Additions with this arithmetic.
#[derive(Clone, Copy)]
struct InLanes<L>(L);

impl<L: LaneField> InLanes<L> {
    /// What equal or opposite points ask for.
    fn add_one_by_one<C: SWCurveConfig<BaseField = L::Field>>(
        self,
        slots: &mut [Point<L::Words>],
        indices: &[u32],
        points: &[Point<L::Words>],
    ) {
        let affine = |point: &Point<_>| Additions::<C>::affine(self, point);
        for (slot, point) in indices.iter().zip(points) {
            let slot = &mut slots[*slot as usize];
            let sum = affine(slot) + affine(point);
            *slot = Additions::<C>::point(self, &sum.into_affine());
        }
    }
}

impl<L: LaneField, C: SWCurveConfig<BaseField = L::Field>> Additions<C> for InLanes<L> {
    type Point = Point<L::Words>;
    type Scratch = Vec<L::Element>;

    fn point(self, affine: &Affine<C>) -> Point<L::Words> {
        let nothing = Additions::<C>::nothing(self);
        affine.xy().map_or(nothing, |(x, y)| Point { x: self.0.words(&x), y: self.0.words(&y) })
    }

    fn affine(self, point: &Point<L::Words>) -> Affine<C> {
        if Additions::<C>::is_nothing(self, point) {
            return Affine::identity();
        }
        Affine::new_unchecked(self.0.field(&point.x), self.0.field(&point.y))
    }

    fn nothing(self) -> Point<L::Words> {
        Point { x: L::ZERO, y: L::ZERO }
    }

    #[inline(always)]
    fn is_nothing(self, point: &Point<L::Words>) -> bool {
        point.x == L::ZERO && point.y == L::ZERO
    }

    #[inline(always)]
    fn negate(self, point: &Point<L::Words>) -> Point<L::Words> {
        Point { x: point.x, y: self.0.negate(&point.y) }
    }

    fn add_all(
        self,
        slots: &mut [Point<L::Words>],
        indices: &[u32],
        points: &[Point<L::Words>],
        scratch: &mut Vec<L::Element>,
    ) {
        let all = AddAll::new(self.0, slots, (indices, points), scratch);
        if !self.0.run(all) {
            self.add_one_by_one::<C>(slots, indices, points);
        }
    }

    fn double_all(self, points: &mut [Point<L::Words>], scratch: &mut Vec<L::Element>) {
        let indices: Vec<u32> = (0u32..).take(points.len()).collect();
        let same = points.to_vec();
        let mut all = AddAll::new(self.0, points, (&indices, &same), scratch);
        all.doubles = true;
        if !self.0.run(all) {
            self.add_one_by_one::<C>(points, &indices, &same);
        }
    }
}

/// Adds points to their slots with one inversion, by Montgomery's trick in each lane; does nothing
/// and says so if a slope has no denominator, as that through a point and a slot of the same x.
struct AddAll<'a, L: LaneField> {
    lanes: L,
    slots: &'a mut [Point<L::Words>],
    indices: &'a [u32],
    points: &'a [Point<L::Words>],
    /// Whether each point is that of its slot. The slope is then the tangent's, of a curve
    /// `y^2 = x^3 + b`.
    doubles: bool,
    /// A slot and a point for lanes that would be empty.
    padding: (Point<L::Words>, Point<L::Words>),
    /// The product of the denominators before each group.
    products: &'a mut Vec<L::Element>,
}

impl<'a, L: LaneField> AddAll<'a, L> {
    fn new(
        lanes: L,
        slots: &'a mut [Point<L::Words>],
        (indices, points): (&'a [u32], &'a [Point<L::Words>]),
        products: &'a mut Vec<L::Element>,
    ) -> Self {
        let one = lanes.words(&L::Field::ONE);
        // Both denominators are not 0: 1 - 0, and twice 1.
        let padding = (Point { x: L::ZERO, y: one }, Point { x: one, y: one });
        Self { lanes, slots, indices, points, doubles: false, padding, products }
    }

    /// The slot and the point of a lane.
    #[inline(always)]
    fn pair(&self, at: usize) -> (&Point<L::Words>, &Point<L::Words>) {
        match (self.indices.get(at), self.points.get(at)) {
            (Some(slot), Some(point)) => (&self.slots[*slot as usize], point),
            _ => (&self.padding.0, &self.padding.1),
        }
    }

    /// The slots and the points of a group.
    #[inline(always)]
    fn group(&self, group: usize) -> [[&Point<L::Words>; LANES]; 2] {
        let at = LANES * group;
        let ((a, e), (b, f)) = (self.pair(at), self.pair(at + 1));
        let ((c, g), (d, h)) = (self.pair(at + 2), self.pair(at + 3));
        [[a, b, c, d], [e, f, g, h]]
    }

    #[inline(always)]
    fn load_x(&self, points: &[&Point<L::Words>; LANES]) -> L::Element {
        self.lanes.load([&points[0].x, &points[1].x, &points[2].x, &points[3].x])
    }

    #[inline(always)]
    fn load_y(&self, points: &[&Point<L::Words>; LANES]) -> L::Element {
        self.lanes.load([&points[0].y, &points[1].y, &points[2].y, &points[3].y])
    }

    /// 1 / x in each lane, unless there is a 0.
    fn inverse(&self, x: &L::Element) -> Option<L::Element> {
        let [a, b, c, d] = self.lanes.store(x).map(|words| self.lanes.field(&words));
        let (ab, cd) = (a * b, c * d);
        let inverse = (ab * cd).inverse()?;
        let (of_ab, of_cd) = (inverse * cd, inverse * ab);
        let inverses = [of_ab * b, of_ab * a, of_cd * d, of_cd * c];
        let words = inverses.map(|inverse| self.lanes.words(&inverse));
        Some(self.lanes.load([0, 1, 2, 3].map(|lane| &words[lane])))
    }
}

impl<L: LaneField> NullaryFnOnce for AddAll<'_, L> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        let lanes = self.lanes;
        let groups = self.indices.len().div_ceil(LANES);
        let mut products = std::mem::take(self.products);
        products.clear();
        let mut product = lanes.load([&self.padding.1.x; LANES]);
        for group in 0..groups {
            let [slots, points] = self.group(group);
            let denominator = if self.doubles {
                lanes.double(&self.load_y(&slots))
            } else {
                lanes.subtract(&self.load_x(&points), &self.load_x(&slots))
            };
            products.push(product);
            product = lanes.multiply(&product, &denominator);
        }
        let inverse = self.inverse(&product);
        if let Some(mut inverse) = inverse {
            for index in (0..groups).rev() {
                let [slots, points] = self.group(index);
                let (x1, y1) = (self.load_x(&slots), self.load_y(&slots));
                let (x2, y2) = (self.load_x(&points), self.load_y(&points));
                let (numerator, denominator) = if self.doubles {
                    (lanes.thrice_the_square(&x1), lanes.double(&y1))
                } else {
                    (lanes.subtract(&y2, &y1), lanes.subtract(&x2, &x1))
                };
                let own_inverse = lanes.multiply(&inverse, &products[index]);
                inverse = lanes.multiply(&inverse, &denominator);
                let slope = lanes.multiply(&own_inverse, &numerator);
                let x = lanes.multiply_subtract_two(&slope, &slope, &x1, &x2);
                let y = lanes.multiply_subtract(&slope, &lanes.subtract(&x1, &x), &y1);
                let (x, y) = (lanes.store(&x), lanes.store(&y));
                for (lane, slot) in self.indices[LANES * index..].iter().take(LANES).enumerate() {
                    self.slots[*slot as usize] = Point { x: x[lane], y: y[lane] };
                }
            }
        }
        *self.products = products;
        inverse.is_some()
    }
}

/// Makes points ready for additions in lanes, or without where there are none.
fn ready_in<C: SWCurveConfig, L: LaneField<Field = C::BaseField>>(
    points: &[Affine<C>],
    multiples: Multiples,
) -> Box<dyn Ready<C>> {
    // Doublings in lanes are of such curves only.
    assert!(C::COEFF_A == C::BaseField::ZERO);
    match L::new() {
        Some(lanes) => ready(InLanes(lanes), points, multiples),
        None => ready(OneByOne, points, multiples),
    }
}

impl Curve for ark_bn254::g1::Config {
    fn ready(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Ready<Self>> {
        ready_in::<Self, Prime<Fq>>(points, multiples)
    }
}

impl Curve for ark_bn254::g2::Config {
    fn ready(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Ready<Self>> {
        ready_in::<Self, Quadratic>(points, multiples)
    }
}

impl Curve for ark_grumpkin::GrumpkinConfig {
    fn ready(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Ready<Self>> {
        ready_in::<Self, Prime<Fr>>(points, multiples)
    }
}
