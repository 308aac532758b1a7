//! What a step is given: the rows of both lanes (design 5).

use ark_ff::AdditiveGroup;

use super::Registers;
use crate::{
    accumulator::Class,
    eddsa::{PublicKey, Signature},
    head::Head,
    height::{height, H},
    item::Entry,
    stamp::Stamp,
    F,
};

/// The shape of a step: how many segments, op slots, merge rows and tree rows it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The profile's name.
    pub name: &'static str,
    /// S: segments of the log lane, one signature each.
    pub segments: usize,
    /// q: op slots of a segment.
    pub slots: usize,
    /// M: rows of the merge lane.
    pub rows: usize,
    /// c: tree rows of each merge row, at least one. The first shares its hashes with the merge
    /// row, and does something only where that is PAD.
    pub tree_rows: usize,
}

/// For tests and the demo.
pub const SMALL: Profile = Profile { name: "small", segments: 2, slots: 4, rows: 22, tree_rows: 2 };

/// For nodes that prove all day, in spaces whose keys mostly grow, as those of logs and messages
/// do: 1.7 merge rows for an op, most of them with nothing between them.
pub const STANDARD: Profile =
    Profile { name: "standard", segments: 11, slots: 8, rows: 153, tree_rows: 1 };

/// The same for spaces whose ops hit keys all over a large tree: 6 merge rows for an op in epochs
/// of thousands, 10 in epochs of hundreds.
pub const SCATTERED: Profile =
    Profile { name: "scattered", segments: 8, slots: 8, rows: 399, tree_rows: 2 };

impl Profile {
    /// All profiles, by size.
    pub const ALL: [Profile; 3] = [SMALL, STANDARD, SCATTERED];

    /// The profile with this name.
    pub fn named(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|p| p.name == name)
    }
}

/// One slot of the log lane.
#[derive(Debug, Clone, Copy)]
pub struct OpSlot {
    /// An unused slot changes nothing (L8).
    pub used: bool,
    /// Does the op grant a writer (L7)?
    pub grant: bool,
    /// The op's clock.
    pub ts: u64,
    /// Limbs of the op's key.
    pub key: [F; 3],
    /// The op's value digest.
    pub value: F,
}

/// A segment of the log lane: up to q ops of one run, and one signature.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Does a run start here?
    pub start: bool,
    /// Does the run end here?
    pub end: bool,
    /// The writer of the run that starts here; else ignored.
    pub writer: u32,
    /// What the tree holds for the writer of the run that starts here; else ignored.
    pub head: Head,
    /// Clock and writer of the stamp that the tree holds for him (his own last op, or the grant).
    pub stamp: Stamp,
    /// Exactly q slots.
    pub ops: Vec<OpSlot>,
    /// The signature over the run's last head; any good-looking one if the run does not end here.
    pub signature: Signature,
}

/// What a merge row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowClass {
    /// Nothing.
    Pad,
    /// An entry of the old tree.
    Old,
    /// A head entry of the old tree that a run starts from.
    OldRead,
    /// An op on a user key.
    User,
    /// A head entry as the epoch leaves it.
    Write,
    /// A grant.
    Grant,
}

impl RowClass {
    /// All classes, in the order of the circuit's selectors.
    pub const ALL: [RowClass; 6] = [
        RowClass::Pad,
        RowClass::Old,
        RowClass::OldRead,
        RowClass::User,
        RowClass::Write,
        RowClass::Grant,
    ];

    /// The class under which the row's item is accumulated (M2).
    pub fn accumulated(self) -> Option<Class> {
        match self {
            RowClass::Pad | RowClass::Old => None,
            RowClass::OldRead => Some(Class::Read),
            RowClass::User => Some(Class::User),
            RowClass::Write => Some(Class::Write),
            RowClass::Grant => Some(Class::Grant),
        }
    }

    /// Is it an entry of the old tree?
    pub fn is_old(self) -> bool {
        matches!(self, RowClass::Old | RowClass::OldRead)
    }
}

/// A merge row.
#[derive(Debug, Clone, Copy)]
pub struct MergeRow {
    /// What the row is.
    pub class: RowClass,
    /// Limbs of the key.
    pub key: [F; 3],
    /// The stamp.
    pub stamp: F,
    /// The value digest.
    pub value: F,
    /// Height of the key of a USER or GRANT row, else 0.
    pub height: u8,
    /// Is it the last row of its key?
    pub last: bool,
    /// Does the row skip the unchanged beginnings of nodes on the way down to it (SKIP)?
    pub skips: bool,
    /// If it does: the chains of these beginnings, by level. Those of fresh nodes are `IV`.
    pub beginnings: [F; H],
}

/// What a tree row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeOp {
    /// Nothing.
    Pad,
    /// The lowest open node absorbs one unchanged item.
    Opaque,
    /// Closes the lowest open node in both trees.
    CloseBoth,
    /// Closes a node in the new tree only.
    CloseNew,
}

impl TreeOp {
    /// All of them, in the order of the circuit's selectors.
    pub const ALL: [TreeOp; 4] = [TreeOp::Pad, TreeOp::Opaque, TreeOp::CloseBoth, TreeOp::CloseNew];
}

/// A tree row.
#[derive(Debug, Clone, Copy)]
pub struct TreeRow {
    /// What it does.
    pub op: TreeOp,
    /// The item of OPAQUE.
    pub digest: F,
}

/// A merge row with its tree rows.
#[derive(Debug, Clone)]
pub struct Row {
    /// The merge row.
    pub merge: MergeRow,
    /// Exactly c tree rows.
    pub tree: Vec<TreeRow>,
}

/// Everything a step is given besides the state.
#[derive(Debug, Clone)]
pub struct StepWitness {
    /// The registers that open the cursor.
    pub registers: Registers,
    /// Exactly S segments.
    pub segments: Vec<Segment>,
    /// Exactly M rows.
    pub rows: Vec<Row>,
    /// Does the epoch end here?
    pub seal: bool,
}

impl OpSlot {
    /// An unused slot.
    pub fn unused() -> OpSlot {
        OpSlot { used: false, grant: false, ts: 0, key: [F::ZERO; 3], value: F::ZERO }
    }
}

impl MergeRow {
    /// A row that skips nothing and is not the last of its key.
    ///
    /// The height is that of the key where the class needs it.
    pub fn new(class: RowClass, entry: &Entry) -> MergeRow {
        let height = match class {
            RowClass::User | RowClass::Grant => height(entry.key.digest()) as u8,
            _ => 0,
        };
        MergeRow {
            class,
            key: entry.key.limbs(),
            stamp: entry.stamp.to_field(),
            value: entry.value,
            height,
            ..MergeRow::pad()
        }
    }

    /// A row that does nothing.
    pub fn pad() -> MergeRow {
        let zero = F::ZERO;
        MergeRow {
            class: RowClass::Pad,
            key: [zero; 3],
            stamp: zero,
            value: zero,
            height: 0,
            last: false,
            skips: false,
            beginnings: [zero; H],
        }
    }
}

impl TreeRow {
    /// A row that does nothing.
    pub fn pad() -> TreeRow {
        TreeRow { op: TreeOp::Pad, digest: F::ZERO }
    }
}

impl Segment {
    /// A segment without start, end and ops.
    pub fn unused(profile: &Profile) -> Segment {
        let zero = F::ZERO;
        Segment {
            start: false,
            end: false,
            writer: 0,
            head: Head { public_key: PublicKey { x: zero, y: zero }, seq: zero, head: zero },
            stamp: Stamp::ZERO,
            ops: vec![OpSlot::unused(); profile.slots],
            signature: Signature::placeholder(),
        }
    }
}

impl StepWitness {
    /// A step that does nothing and leaves the given registers.
    pub fn idle(profile: &Profile, registers: Registers) -> StepWitness {
        let row = Row { merge: MergeRow::pad(), tree: vec![TreeRow::pad(); profile.tree_rows] };
        StepWitness {
            registers,
            segments: vec![Segment::unused(profile); profile.segments],
            rows: vec![row; profile.rows],
            seal: false,
        }
    }

    /// Has it exactly the profile's numbers of slots and rows?
    pub fn has_shape(&self, profile: &Profile) -> bool {
        self.segments.len() == profile.segments
            && self.segments.iter().all(|s| s.ops.len() == profile.slots)
            && self.rows.len() == profile.rows
            && self.rows.iter().all(|r| r.tree.len() == profile.tree_rows)
    }
}
