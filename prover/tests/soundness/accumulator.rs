//! Forgeries of the sum that ties the lanes together.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field};
use ark_grumpkin::Affine;
use rootfold_core::{
    accumulator::{accumulate, phi, phi_x, start, Class, Lane, TRIES},
    item::item,
    key::Key,
    stamp::Stamp,
    step::{RowClass, Rule},
    F,
};

use crate::{
    draft::{assert_caught, user_row, Draft},
    system::Open,
    world::{key, put, value, Put, World, ALICE, MALLORY},
};

/// The columns of one addition.
pub struct Sum {
    pub j: usize,
    pub point_y: usize,
    pub inverse: usize,
    /// Coordinates of the sum afterwards.
    pub x: usize,
    pub y: usize,
}

impl Sum {
    /// The nth addition of this item in an honestly synthesized system.
    pub fn of(open: &Open, class: Class, item: F, lane: Lane, nth: usize) -> Sum {
        let honest = phi(class, item, lane);
        let y = open.find(Rule::Accumulator, honest.y)[nth];
        // As `accumulate` allocates: j and its bits, y, the square and the cube of x, the inverse,
        // the slope, its square, a product, and the two coordinates.
        let sum = Sum { j: y - 9, point_y: y, inverse: y + 3, x: y + 7, y: y + 8 };
        assert_eq!(open.values[sum.j], F::from(honest.j));
        let x = phi_x(F::from(class as u64), item, honest.j);
        assert_eq!(open.values[y + 1], x.square());
        sum
    }
}

/// The point of an item.
fn point(class: Class, item: F, lane: Lane) -> Affine {
    let phi = phi(class, item, lane);
    Affine::new(phi_x(F::from(class as u64), item, phi.j), phi.y)
}

/// A step that begins with a run, in mid-epoch, with this sum before it.
fn with_sum(world: &World, acc: Affine) -> Draft {
    let run = world.run(MALLORY, &[put(200, key('a', 0), "new")]);
    let mut draft = Draft::new(world, &[run]);
    draft.actions.clear();
    draft.registers.acc = acc;
    draft.trust_registers();
    draft.seal = false;
    draft
}

/// The item that the first addition of [`with_sum`] adds.
fn read(world: &World) -> F {
    world.entry(Key::head(MALLORY)).item()
}

/// The sum is the point that is added: its slope would be anything at all.
#[test]
fn a_point_added_to_itself() {
    let world = World::small();
    with_sum(&world, start()).accepted();
    let same = point(Class::Read, read(&world), Lane::Log);
    with_sum(&world, same).caught_by(Rule::Accumulator);
}

/// The sum is the point's opposite: whoever may choose the inverse of 0 chooses the next sum.
#[test]
fn two_equal_points_of_opposite_sign() {
    let world = World::small();
    let opposite = -point(Class::Read, read(&world), Lane::Log);
    let draft = with_sum(&world, opposite);
    draft.caught_by(Rule::Accumulator);

    let system = draft.system();
    let honest_end = system.next_state();
    let mut open = system.open();
    let sum = Sum::of(&open, Class::Read, read(&world), Lane::Log, 0);
    open.set(sum.inverse, F::from(7u64));
    open.repair(false);
    assert_caught(&open.broken(), Rule::Accumulator, &[Rule::Accumulator]);
    assert_ne!(open.next_state(), honest_end, "7 leads elsewhere than 0");
}

/// Mallory's ordinary op takes the point of a grant, by a j that runs into the next class.
#[test]
fn a_class_reached_by_a_large_j() {
    let world = World::small();
    let op = Put { ts: 200, key: Key::head(9), value: value("myself"), grant: false };
    let mut draft = Draft::new(&world, &[world.run(MALLORY, &[op])]);
    draft.row(&Key::head(9), RowClass::User).class = RowClass::Grant;
    let stamp = Stamp { ts: 200, writer: MALLORY }.to_field();
    let item = item(op.key.digest(), stamp, op.value);
    let grant = phi(Class::Grant, item, Lane::Log);
    let mut open = draft.system().open();
    let sum = Sum::of(&open, Class::User, item, Lane::Log, 0);
    open.set(sum.j, F::from(TRIES) + F::from(grant.j));
    open.set(sum.point_y, grant.y);
    open.repair(false);
    assert_caught(&open.broken(), Rule::Accumulator, &[Rule::Accumulator]);
}

/// A y off the curve: the sum goes where the forger wants it.
#[test]
fn a_point_off_the_curve() {
    let world = World::small();
    let mut open = with_sum(&world, start()).system().open();
    let sum = Sum::of(&open, Class::Read, read(&world), Lane::Log, 0);
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
    let empty = item(F::ZERO, Stamp { ts: 0, writer: MALLORY }.to_field(), F::ZERO);
    let sum = Sum::of(&open, Class::User, empty, Lane::Log, 0);
    let before = Affine::new(open.values[sum.x], open.values[sum.y]);
    let added = point(Class::User, item(c.digest(), stamp, forged), Lane::Log);
    let after = (before.into_group() + added).into_affine();
    open.set(sum.x, after.x);
    open.set(sum.y, after.y);
    open.repair(false);
    assert_caught(&open.broken(), Rule::Accumulator, &[Rule::Accumulator]);
}

/// The sum after a log lane that adds one item.
pub fn added(class: Class, item: F) -> Affine {
    accumulate(start(), class, item, phi(class, item, Lane::Log)).expect("the start is elsewhere")
}
