//! Forgeries of the accumulator, which shows that both lanes have the same items.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field};
use ark_grumpkin::Affine;
use rootfold_core::{
    accumulator::{accumulate, phi, start, Addend, Class, Lane, CLASSES, TRIES},
    height::height,
    item::item,
    key::{key_digest, Key},
    stamp::Stamp,
    step::{RowClass, Rule},
    F,
};

use crate::{
    draft::{assert_caught, close_new, user_row, Draft},
    system::Open,
    world::{addend, key, put, value, World, ALICE, MALLORY},
};

/// The columns of one addition.
pub struct Sum {
    pub j: usize,
    pub point_y: usize,
    pub inverse: usize,
    /// Coordinates of the sum after the addition.
    pub x: usize,
    pub y: usize,
}

impl Sum {
    /// The nth addition of this item in an honestly synthesized system.
    pub fn of(open: &Open, addend: &Addend, lane: Lane, nth: usize) -> Sum {
        let honest = phi(addend, lane);
        let y = open.find(Rule::Accumulator, honest.y)[nth];
        // As `accumulate` allocates: j and its bits, y, the square and the cube of x, the inverse,
        // the slope, its square, a product, and the two coordinates.
        let sum = Sum { j: y - 9, point_y: y, inverse: y + 3, x: y + 7, y: y + 8 };
        assert_eq!(open.values[sum.j], F::from(honest.j));
        assert_eq!(open.values[y + 1], addend.x(honest.j).square());
        sum
    }

    /// Replaces the point.
    pub fn set_point(&self, open: &mut Open, addend: &Addend, lane: Lane) {
        let phi = phi(addend, lane);
        open.set(self.j, F::from(phi.j));
        open.set(self.point_y, phi.y);
    }
}

/// The point of an item.
fn point(addend: &Addend, lane: Lane) -> Affine {
    let phi = phi(addend, lane);
    Affine::new(addend.x(phi.j), phi.y)
}

/// A step inside an epoch that starts with a run and with this sum.
fn with_sum(world: &World, acc: Affine) -> Draft {
    let run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    let mut draft = Draft::new(world, &[run]);
    draft.actions.clear();
    draft.registers.acc = acc;
    draft.trust_registers();
    draft.seal = false;
    draft
}

/// The addend of the first addition of [`with_sum`].
fn read(world: &World) -> Addend {
    addend(Class::Read, world.entry(Key::head(MALLORY)).item())
}

/// The sum is equal to the added point, so the slope would be 0/0.
#[test]
fn a_point_added_to_itself() {
    let world = World::small();
    with_sum(&world, start()).accepted();
    let same = point(&read(&world), Lane::Log);
    with_sum(&world, same).caught_by(Rule::Accumulator);
}

/// The sum is the negative of the added point: a free inverse of 0 would determine the next sum.
#[test]
fn two_equal_points_of_opposite_sign() {
    let world = World::small();
    let opposite = -point(&read(&world), Lane::Log);
    let draft = with_sum(&world, opposite);
    draft.caught_by(Rule::Accumulator);

    let system = draft.system();
    let honest_end = system.next_state();
    let mut open = system.open();
    let sum = Sum::of(&open, &read(&world), Lane::Log, 0);
    open.set(sum.inverse, F::from(7u64));
    open.repair(false);
    assert_caught(&open.broken(), Rule::Accumulator, &[Rule::Accumulator]);
    assert_ne!(open.next_state(), honest_end, "7 leads elsewhere than 0");
}

/// An insert of height 0 uses the point of height 1, by a j that is large enough to reach it. The
/// new tree gets a node boundary that its keys do not have.
#[test]
fn a_height_reached_by_a_large_j() {
    let world = World::small();
    let b = key('b', 0);
    let run = world.run(MALLORY, &[put(200, b, "splits a node")]);
    let mut draft = Draft::new(&world, &[run]);
    draft.row(&b, RowClass::User).height = 1;
    let at = draft.at(&b) + 1;
    draft.insert(at, [close_new()]);
    draft.caught_by(Rule::Seal);

    let stamp = Stamp { ts: 200, writer: MALLORY }.to_field();
    let honest = addend(Class::User, item(b.digest(), stamp, value("splits a node")));
    let higher = Addend { height: 1, ..honest };
    let mut open = draft.system().open();
    let sum = Sum::of(&open, &honest, Lane::Log, 0);
    sum.set_point(&mut open, &higher, Lane::Log);
    open.set(sum.j, open.values[sum.j] + F::from(TRIES * CLASSES));
    open.repair(false);
    assert_caught(&open.broken(), Rule::Accumulator, &[Rule::Accumulator]);
}

/// A y off the curve, which leads to a sum of the forger's choice.
#[test]
fn a_point_off_the_curve() {
    let world = World::small();
    let mut open = with_sum(&world, start()).system().open();
    let sum = Sum::of(&open, &read(&world), Lane::Log, 0);
    open.set(sum.point_y, open.values[sum.point_y] + F::ONE);
    open.repair(false);
    assert_caught(&open.broken(), Rule::Accumulator, &[Rule::Accumulator]);
}

/// An unused slot adds the point of an op that nobody signed (L8).
#[test]
fn an_unused_slot_that_adds() {
    let world = World::small();
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[put(200, key('a', 0), "signed")])]);
    let c = key('c', 0);
    let stamp = Stamp { ts: 500, writer: ALICE }.to_field();
    let forged = value("forged");
    draft.row(&c, RowClass::Old).last = false;
    let at = draft.at(&c) + 1;
    draft.insert(at, [user_row(&c, stamp, forged, true)]);

    let mut open = draft.system().open();
    let kappa = key_digest([F::ZERO; 3]);
    let empty = item(kappa, Stamp { ts: 0, writer: MALLORY }.to_field(), F::ZERO);
    let empty = Addend { class: Class::User, height: height(kappa) as u8, item: empty };
    let sum = Sum::of(&open, &empty, Lane::Log, 0);
    let before = Affine::new(open.values[sum.x], open.values[sum.y]);
    let added = point(&addend(Class::User, item(c.digest(), stamp, forged)), Lane::Log);
    let after = (before.into_group() + added).into_affine();
    open.set(sum.x, after.x);
    open.set(sum.y, after.y);
    open.repair(false);
    assert_caught(&open.broken(), Rule::Accumulator, &[Rule::Accumulator]);
}

/// The sum after a log lane with one item.
pub fn added(addend: &Addend) -> Affine {
    accumulate(start(), addend, phi(addend, Lane::Log)).expect("the start is elsewhere")
}
