//! The witness of a step: the rows of both lanes.

use ark_ff::AdditiveGroup;

use super::Registers;
use crate::{
    accumulator::Class,
    eddsa::{PublicKey, Signature},
    head::Head,
    height::{height, H},
    item::Entry,
    key::KeyKind,
    log::Op,
    stamp::Stamp,
    F,
};

/// The size of a step: the numbers of segments, op slots, merge rows and tree rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The name.
    pub name: &'static str,
    /// S: segments of the log lane, each with one signature.
    pub segments: usize,
    /// q: op slots of a segment.
    pub slots: usize,
    /// M: rows of the merge lane.
    pub rows: usize,
    /// c: tree rows per merge row, at least one. The first one shares its hashes with the merge row,
    /// and is active only if the merge row is PAD.
    pub tree_rows: usize,
}

/// For tests and the demo.
pub const SMALL: Profile = Profile { name: "small", segments: 2, slots: 4, rows: 22, tree_rows: 2 };

/// For spaces whose keys mostly increase, as those of logs and messages do: 1.7 merge rows per op,
/// most of them without tree rows between them.
pub const STANDARD: Profile =
    Profile { name: "standard", segments: 11, slots: 8, rows: 149, tree_rows: 1 };

/// For spaces whose ops are scattered over a large tree: 6 merge rows per op in epochs of thousands of
/// ops, 10 in epochs of hundreds.
pub const SCATTERED: Profile =
    Profile { name: "scattered", segments: 8, slots: 8, rows: 397, tree_rows: 2 };

impl Profile {
    /// All profiles in order of size.
    pub const ALL: [Profile; 3] = [SMALL, STANDARD, SCATTERED];

    /// The profile with this name.
    pub fn named(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|p| p.name == name)
    }
}

/// The class of an op slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotClass {
    /// A slot without an op, which changes nothing (L8).
    Unused,
    /// An op on a shared key.
    Shared,
    /// An op on a key that belongs to its writer.
    Owned,
    /// A mark of the op before it (L10).
    Mark,
    /// A grant (L7).
    Grant,
    /// A replacement of a head: of the owner's if the run ends with the segment (L13), otherwise of
    /// another writer's (L12). Only the first slot of a segment has this class.
    Replacement,
}

impl SlotClass {
    /// All classes, in the order of the circuit's selectors.
    pub const ALL: [SlotClass; 6] = [
        SlotClass::Unused,
        SlotClass::Shared,
        SlotClass::Owned,
        SlotClass::Mark,
        SlotClass::Grant,
        SlotClass::Replacement,
    ];

    /// The class of an op on a key of this kind; `Unused` for keys that nobody may write.
    pub fn of(kind: KeyKind) -> SlotClass {
        match kind {
            KeyKind::Shared => SlotClass::Shared,
            KeyKind::Owned(_) => SlotClass::Owned,
            KeyKind::Index => SlotClass::Mark,
            KeyKind::Head(_) => SlotClass::Grant,
            KeyKind::Replacement(_) => SlotClass::Replacement,
            KeyKind::StartSentinel | KeyKind::EndSentinel | KeyKind::Unused => SlotClass::Unused,
        }
    }

    /// Whether the slot holds an op.
    pub fn is_used(self) -> bool {
        self != SlotClass::Unused
    }
}

/// One slot of the log lane.
#[derive(Debug, Clone, Copy)]
pub struct OpSlot {
    /// The class.
    pub class: SlotClass,
    /// Whether the next op of the log belongs to the same group (L11).
    pub more: bool,
    /// The op's clock.
    pub ts: u64,
    /// The limbs of the op's key.
    pub key: [F; 3],
    /// The op's value digest.
    pub value: F,
}

/// A segment of the log lane: up to q ops of one run and one signature.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Whether a run starts with this segment.
    pub start: bool,
    /// Whether the run ends with this segment.
    pub end: bool,
    /// The writer of the run, if it starts here; the writer whose head the first op replaces.
    pub writer: u32,
    /// The head in the old tree of that writer.
    pub head: Head,
    /// The stamp of that head entry: of the writer's last op, or of the grant.
    pub stamp: Stamp,
    /// The key that the first op puts in place, if it replaces a head.
    pub new_key: PublicKey,
    /// The right to shared keys that the first op puts in place, if it replaces the head of another writer.
    pub new_shared: bool,
    /// Exactly q slots.
    pub ops: Vec<OpSlot>,
    /// The signature over the run's last head if the run ends here; otherwise any signature with R8 on
    /// the curve.
    pub signature: Signature,
}

/// The class of a merge row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowClass {
    /// An inactive row.
    Pad,
    /// An entry of the old tree.
    Old,
    /// A head entry of the old tree from which a run starts.
    OldRead,
    /// An op on a shared or owned key, or a mark.
    User,
    /// A head entry of the new tree.
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

    /// Whether the row is an entry of the old tree.
    pub fn is_old(self) -> bool {
        matches!(self, RowClass::Old | RowClass::OldRead)
    }
}

/// A merge row.
#[derive(Debug, Clone, Copy)]
pub struct MergeRow {
    /// The class.
    pub class: RowClass,
    /// The limbs of the key.
    pub key: [F; 3],
    /// The stamp.
    pub stamp: F,
    /// The value digest.
    pub value: F,
    /// The height of the key of a USER or GRANT row; otherwise 0.
    pub height: u8,
    /// Whether this is the last row of its key.
    pub last: bool,
    /// Whether the nodes that the row opens begin with unchanged items (SKIP).
    pub skips: bool,
    /// The chain values of these items by level, if `skips`; `IV` for a node without unchanged items.
    pub beginnings: [F; H],
}

/// The operation of a tree row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeOp {
    /// No operation.
    Pad,
    /// The lowest open node absorbs one unchanged item.
    Opaque,
    /// Closes the lowest open node in both trees.
    CloseBoth,
    /// Closes a node in the new tree only.
    CloseNew,
}

impl TreeOp {
    /// All operations, in the order of the circuit's selectors.
    pub const ALL: [TreeOp; 4] = [TreeOp::Pad, TreeOp::Opaque, TreeOp::CloseBoth, TreeOp::CloseNew];
}

/// A tree row.
#[derive(Debug, Clone, Copy)]
pub struct TreeRow {
    /// The operation.
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

/// The witness of a step.
#[derive(Debug, Clone)]
pub struct StepWitness {
    /// The registers, whose digest is the cursor.
    pub registers: Registers,
    /// Exactly S segments.
    pub segments: Vec<Segment>,
    /// Exactly M rows.
    pub rows: Vec<Row>,
    /// Whether the epoch ends with this step.
    pub seal: bool,
}

impl OpSlot {
    /// An unused slot.
    pub fn unused() -> OpSlot {
        let (class, key) = (SlotClass::Unused, [F::ZERO; 3]);
        OpSlot { class, more: false, ts: 0, key, value: F::ZERO }
    }

    /// The slot of an op.
    pub fn of(op: &Op) -> OpSlot {
        OpSlot {
            class: SlotClass::of(op.key.kind()),
            more: op.more,
            ts: op.ts,
            key: op.key.limbs(),
            value: op.value,
        }
    }
}

impl MergeRow {
    /// A row with the height that the class requires, without `skips` and `last`.
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

    /// An inactive row.
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
    /// A row without operation.
    pub fn pad() -> TreeRow {
        TreeRow { op: TreeOp::Pad, digest: F::ZERO }
    }
}

impl Segment {
    /// A segment without ops that neither starts nor ends a run.
    pub fn unused(profile: &Profile) -> Segment {
        Segment {
            start: false,
            end: false,
            writer: 0,
            head: Head::zero(),
            stamp: Stamp::ZERO,
            new_key: PublicKey::CLOSED,
            new_shared: false,
            ops: vec![OpSlot::unused(); profile.slots],
            signature: Signature::placeholder(),
        }
    }
}

impl StepWitness {
    /// A step that does not change the given registers.
    pub fn idle(profile: &Profile, registers: Registers) -> StepWitness {
        let row = Row { merge: MergeRow::pad(), tree: vec![TreeRow::pad(); profile.tree_rows] };
        StepWitness {
            registers,
            segments: vec![Segment::unused(profile); profile.segments],
            rows: vec![row; profile.rows],
            seal: false,
        }
    }

    /// Whether the witness has the numbers of segments, slots and rows of the profile.
    pub fn has_shape(&self, profile: &Profile) -> bool {
        self.segments.len() == profile.segments
            && self.segments.iter().all(|s| s.ops.len() == profile.slots)
            && self.rows.len() == profile.rows
            && self.rows.iter().all(|r| r.tree.len() == profile.tree_rows)
    }
}
