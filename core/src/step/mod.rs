//! One step of the proved state machine, natively (`docs/circuits.md`).
//!
//! The step circuit in `rootfold-circuits` has the same modules and rules. The root changes once per
//! epoch, after any number of steps. In an epoch the log lane and the merge lane process the same
//! items in different orders; one accumulator proves that the items are the same.

mod log_lane;
mod merge_lane;
mod registers;
mod seal;
mod tree_row;
mod witness;

pub use log_lane::{op_slot, segment};
pub use merge_lane::merge_row;
pub use registers::{Registers, Zipper, REGISTER_FIELDS};
pub use seal::seal;
pub use tree_row::tree_row;
pub use witness::{
    MergeRow, OpSlot, Profile, Row, RowClass, Segment, SlotClass, StepWitness, TreeOp, TreeRow,
    SCATTERED, SMALL, STANDARD,
};

use ark_ff::AdditiveGroup;
use thiserror::Error;

use crate::{
    accumulator::{accumulate, phi, Addend, Lane},
    F,
};

/// The version of what a proof states: which ops fold into which tree. Another one has other rules, hashes
/// or limits in it.
pub const STATEMENT_VERSION: u32 = 2;

/// A rule of `docs/circuits.md`. The namespaces of the constraints have these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Rule {
    L1,
    L2,
    L3,
    L4,
    L5,
    L6,
    L7,
    L8,
    L9,
    L10,
    L11,
    L12,
    L13,
    M1,
    M2,
    M3,
    M4,
    M5,
    M6,
    M7,
    Skip,
    Opaque,
    CloseBoth,
    CloseNew,
    Accumulator,
    Seal,
    Cursor,
}

/// The witness breaks a rule.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{rule:?}: {what}")]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// How it breaks the rule.
    pub what: &'static str,
}

/// Returns a [`Violation`] unless `holds`.
pub(crate) fn require(holds: bool, rule: Rule, what: &'static str) -> Result<(), Violation> {
    if holds {
        Ok(())
    } else {
        Err(Violation { rule, what })
    }
}

/// Adds the point of an item, as an honest prover chooses it, to the accumulator.
fn add(r: &mut Registers, addend: &Addend, lane: Lane) -> Result<(), Violation> {
    let met = Violation { rule: Rule::Accumulator, what: "the sum meets a point of the same x" };
    r.acc = accumulate(r.acc, addend, phi(addend, lane)).ok_or(met)?;
    debug_assert!(r.acc.y != F::ZERO, "Grumpkin has prime order");
    Ok(())
}

/// The state `z = (root, ops, cursor)` between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The root of the tree after the last sealed epoch.
    pub root: F,
    /// The number of ops folded by then.
    pub ops: F,
    /// The digest of the registers; [`Registers::idle_cursor`] between epochs.
    pub cursor: F,
}

impl State {
    /// `z_0 = (genesis root, 0, IDLE)`.
    pub fn genesis(space_id: F) -> State {
        State { root: space_id, ops: F::from(0u64), cursor: Registers::idle_cursor() }
    }

    /// The state as field elements.
    pub fn to_fields(self) -> [F; 3] {
        [self.root, self.ops, self.cursor]
    }
}

/// Executes one step: opens the cursor, runs both lanes, seals if the witness says so, and closes the
/// cursor.
///
/// # Errors
/// The first [`Violation`], for exactly the witnesses that do not satisfy the circuit.
///
/// # Panics
/// If the witness does not have the profile's shape.
pub fn step(
    profile: &Profile,
    state: &State,
    witness: &StepWitness,
) -> Result<(State, Registers), Violation> {
    assert!(witness.has_shape(profile), "the planner fills every slot of the profile");
    let mut registers = witness.registers;
    require(registers.digest() == state.cursor, Rule::Cursor, "registers do not open the cursor")?;
    for s in &witness.segments {
        segment(&mut registers, s)?;
    }
    for row in &witness.rows {
        rows(&mut registers, row)?;
    }
    let state = seal(state, &mut registers, witness.seal)?;
    Ok((state, registers))
}

/// A merge row and its tree rows.
fn rows(r: &mut Registers, row: &Row) -> Result<(), Violation> {
    merge_row(r, &row.merge)?;
    let shares = row.merge.class == RowClass::Pad || row.tree[0].op == TreeOp::Pad;
    require(shares, Rule::M4, "a tree row takes the hashes of an active merge row")?;
    row.tree.iter().try_for_each(|tree| tree_row(r, tree))
}
