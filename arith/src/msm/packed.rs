//! Additions with packed arithmetic.
//!
//! Coordinates in memory are words `x * R` that need not be reduced: those of a sum are below 2 q
//! (see [`PackedField::store`](crate::packed::PackedField::store)).

use ark_ec::{
    short_weierstrass::{Affine, SWCurveConfig},
    AffineRepr, CurveGroup,
};
use ark_ff::Field;

use super::{
    additions::{Additions, Point},
    coordinates::Coordinates,
};
use crate::packed::Task;

/// Additions with packed arithmetic, on curves `y^2 = x^3 + b`.
#[derive(Clone, Copy)]
pub(super) struct Packed<K, const WIDTH: usize>(K);

impl<K: Coordinates<WIDTH>, const WIDTH: usize> Packed<K, WIDTH> {
    /// `None` if the processor lacks the instructions.
    pub(super) fn new() -> Option<Self> {
        K::new().map(Self)
    }
}

impl<K: Coordinates<WIDTH>, const WIDTH: usize> Packed<K, WIDTH> {
    /// Additions that include equal or opposite points.
    fn add_singly<C: SWCurveConfig<BaseField = K::Field>>(
        self,
        slots: &mut [Point<K::Words>],
        indices: &[u32],
        points: &[Point<K::Words>],
    ) {
        let affine = |point: &Point<_>| Additions::<C>::affine(self, point);
        for (slot, point) in indices.iter().zip(points) {
            let slot = &mut slots[*slot as usize];
            let sum = affine(slot) + affine(point);
            *slot = Additions::<C>::point(self, &sum.into_affine());
        }
    }
}

impl<K: Coordinates<WIDTH>, C: SWCurveConfig<BaseField = K::Field>, const WIDTH: usize> Additions<C>
    for Packed<K, WIDTH>
{
    type Point = Point<K::Words>;
    type Scratch = Vec<K::Element>;

    fn point(self, affine: &Affine<C>) -> Point<K::Words> {
        let identity = Additions::<C>::identity(self);
        affine.xy().map_or(identity, |(x, y)| Point { x: self.0.words(&x), y: self.0.words(&y) })
    }

    fn affine(self, point: &Point<K::Words>) -> Affine<C> {
        if Additions::<C>::is_identity(self, point) {
            return Affine::identity();
        }
        Affine::new_unchecked(self.0.field(&point.x), self.0.field(&point.y))
    }

    fn identity(self) -> Point<K::Words> {
        Point { x: K::ZERO, y: K::ZERO }
    }

    #[inline(always)]
    fn is_identity(self, point: &Point<K::Words>) -> bool {
        point.x == K::ZERO && point.y == K::ZERO
    }

    #[inline(always)]
    fn negate(self, point: &Point<K::Words>) -> Point<K::Words> {
        Point { x: point.x, y: self.0.negate(&point.y) }
    }

    fn add_all(
        self,
        slots: &mut [Point<K::Words>],
        indices: &[u32],
        points: &[Point<K::Words>],
        scratch: &mut Vec<K::Element>,
    ) {
        let all = AddAll::new(self.0, slots, (indices, points), scratch);
        if !self.0.run(all) {
            self.add_singly::<C>(slots, indices, points);
        }
    }

    fn double_all(self, points: &mut [Point<K::Words>], scratch: &mut Vec<K::Element>) {
        let indices: Vec<u32> = (0u32..).take(points.len()).collect();
        let same = points.to_vec();
        let mut all = AddAll::new(self.0, points, (&indices, &same), scratch);
        all.doubles = true;
        if !self.0.run(all) {
            self.add_singly::<C>(points, &indices, &same);
        }
    }
}

/// Adds points to their slots with one inversion, by Montgomery's trick in each vector element.
/// Returns `false` and changes no slot if a slope is undefined because a point and its slot have the
/// same x.
struct AddAll<'a, K: Coordinates<WIDTH>, const WIDTH: usize> {
    coordinates: K,
    slots: &'a mut [Point<K::Words>],
    indices: &'a [u32],
    points: &'a [Point<K::Words>],
    /// Whether each point equals its slot, so that the slope is the tangent's.
    doubles: bool,
    /// A slot and a point to fill the last group.
    padding: (Point<K::Words>, Point<K::Words>),
    /// For each group, the product of the denominators before it.
    products: &'a mut Vec<K::Element>,
}

impl<'a, K: Coordinates<WIDTH>, const WIDTH: usize> AddAll<'a, K, WIDTH> {
    fn new(
        coordinates: K,
        slots: &'a mut [Point<K::Words>],
        (indices, points): (&'a [u32], &'a [Point<K::Words>]),
        products: &'a mut Vec<K::Element>,
    ) -> Self {
        let one = coordinates.words(&K::Field::ONE);
        // The denominators 1 - 0 and 2 * 1 are not 0.
        let padding = (Point { x: K::ZERO, y: one }, Point { x: one, y: one });
        Self { coordinates, slots, indices, points, doubles: false, padding, products }
    }

    /// Slot and point number `at`, or the padding.
    #[inline(always)]
    fn pair(&self, at: usize) -> (&Point<K::Words>, &Point<K::Words>) {
        match (self.indices.get(at), self.points.get(at)) {
            (Some(slot), Some(point)) => (&self.slots[*slot as usize], point),
            _ => (&self.padding.0, &self.padding.1),
        }
    }

    /// The slots and the points of a group of `WIDTH` additions.
    #[inline(always)]
    fn group(&self, group: usize) -> [[&Point<K::Words>; WIDTH]; 2] {
        let mut slots = [&self.padding.0; WIDTH];
        let mut points = [&self.padding.1; WIDTH];
        for i in 0..WIDTH {
            (slots[i], points[i]) = self.pair(WIDTH * group + i);
        }
        [slots, points]
    }

    #[inline(always)]
    fn load_x(&self, points: &[&Point<K::Words>; WIDTH]) -> K::Element {
        self.coordinates.load(points.map(|point| &point.x))
    }

    #[inline(always)]
    fn load_y(&self, points: &[&Point<K::Words>; WIDTH]) -> K::Element {
        self.coordinates.load(points.map(|point| &point.y))
    }

    /// `1 / x`; `None` if a vector element is 0.
    fn inverse(&self, x: &K::Element) -> Option<K::Element> {
        let coordinates = self.coordinates;
        let elements = coordinates.store(x).map(|words| coordinates.field(&words));
        let mut before = [K::Field::ONE; WIDTH];
        for i in 1..WIDTH {
            before[i] = before[i - 1] * elements[i - 1];
        }
        let mut inverse = (before[WIDTH - 1] * elements[WIDTH - 1]).inverse()?;
        let mut words = [K::ZERO; WIDTH];
        for i in (0..WIDTH).rev() {
            words[i] = coordinates.words(&(inverse * before[i]));
            inverse *= elements[i];
        }
        Some(coordinates.load(words.each_ref()))
    }
}

impl<K: Coordinates<WIDTH>, const WIDTH: usize> Task for AddAll<'_, K, WIDTH> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let coordinates = self.coordinates;
        let groups = self.indices.len().div_ceil(WIDTH);
        let mut products = std::mem::take(self.products);
        products.clear();
        let mut product = coordinates.load([&self.padding.1.x; WIDTH]);
        for group in 0..groups {
            let [slots, points] = self.group(group);
            let denominator = if self.doubles {
                coordinates.double(&self.load_y(&slots))
            } else {
                coordinates.subtract(&self.load_x(&points), &self.load_x(&slots))
            };
            products.push(product);
            product = coordinates.multiply(&product, &denominator);
        }
        let inverse = self.inverse(&product);
        if let Some(mut inverse) = inverse {
            for index in (0..groups).rev() {
                let [slots, points] = self.group(index);
                let (x1, y1) = (self.load_x(&slots), self.load_y(&slots));
                let (x2, y2) = (self.load_x(&points), self.load_y(&points));
                let (numerator, denominator) = if self.doubles {
                    (coordinates.thrice_the_square(&x1), coordinates.double(&y1))
                } else {
                    (coordinates.subtract(&y2, &y1), coordinates.subtract(&x2, &x1))
                };
                let own_inverse = coordinates.multiply(&inverse, &products[index]);
                inverse = coordinates.multiply(&inverse, &denominator);
                let slope = coordinates.multiply(&own_inverse, &numerator);
                let x = coordinates.multiply_subtract_two(&slope, &slope, &x1, &x2);
                let y = coordinates.multiply_subtract(&slope, &coordinates.subtract(&x1, &x), &y1);
                let (x, y) = (coordinates.store(&x), coordinates.store(&y));
                for (i, slot) in self.indices[WIDTH * index..].iter().take(WIDTH).enumerate() {
                    self.slots[*slot as usize] = Point { x: x[i], y: y[i] };
                }
            }
        }
        *self.products = products;
        inverse.is_some()
    }
}
