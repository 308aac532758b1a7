//! The registers that one step passes to the next, and their digest, the cursor.

use std::sync::OnceLock;

use ark_ff::{AdditiveGroup, Field};
use ark_grumpkin::Affine;
use rootfold_arith::poseidon::MAX_INPUTS;

use crate::{
    accumulator,
    hash::{hash_slice, Tag},
    head::Head,
    height::H,
    tree::chain::iv,
    F,
};

/// Number of field elements in the registers.
pub const REGISTER_FIELDS: usize = 45;

/// The state of an epoch between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers {
    /// Whether a run is open.
    pub active: bool,
    /// Whether the open run has had no op yet.
    pub empty: bool,
    /// One more than the writer of the last run; 0 before the first run. The writer of an open run is
    /// `floor - 1`.
    pub floor: u64,
    /// The head of the open run's log: key, number of ops, head, right to shared keys.
    pub head: Head,
    /// The clock of the open run's last op.
    pub ts: u64,
    /// Whether the group of the open run's last op goes on.
    pub more: bool,
    /// The key digest of the last op that is not a mark, to which marks belong.
    pub kappa: F,
    /// The value digest of that op.
    pub value: F,
    /// Number of ops of this epoch so far.
    pub ops: u64,
    /// The accumulator.
    pub acc: Affine,
    /// The key limbs of the last merge row; (0, 0, -1) before the first row.
    pub key: [F; 3],
    /// The stamp of the last merge row.
    pub stamp: F,
    /// Whether more rows of this key follow.
    pub inside: bool,
    /// Whether this key has had its OLD row.
    pub has_old: bool,
    /// Whether the last merge row was an OLD_READ row.
    pub old_read: bool,
    /// Whether the left neighbour of the next row is known: no opaque item followed the last old entry.
    pub known: bool,
    /// Whether an insert waits for its right neighbour.
    pub wait_right: bool,
    /// Number of CLOSE_NEW rows that the last insert still needs.
    pub due: u8,
    /// The level of the next CLOSE_NEW.
    pub next_close: u8,
    /// The lowest level with an open node.
    pub cur: u8,
    /// The chain values that rebuild the old root.
    pub old: Zipper,
    /// The chain values that build the new root.
    pub new: Zipper,
}

/// The open nodes of one tree: a chain value for each level from `cur` up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zipper {
    /// The chain value of the lowest open node. Between two CLOSE_NEW rows it is the digest that the next
    /// one closes.
    pub open: F,
    /// `above[l - 1]` is the chain value of level l. Values of `cur` and lower levels are not read.
    pub above: [F; H],
}

impl Zipper {
    /// An empty root node.
    pub fn fresh() -> Zipper {
        Zipper { open: iv(H), above: [F::ZERO; H] }
    }
}

impl Registers {
    /// The registers between epochs.
    pub fn idle() -> Registers {
        let zero = F::ZERO;
        Registers {
            active: false,
            empty: false,
            floor: 0,
            head: Head::zero(),
            ts: 0,
            more: false,
            kappa: zero,
            value: zero,
            ops: 0,
            acc: accumulator::start(),
            key: [zero, zero, -F::ONE],
            stamp: zero,
            inside: false,
            has_old: false,
            old_read: false,
            known: false,
            wait_right: false,
            due: 0,
            next_close: 0,
            cur: H as u8,
            old: Zipper::fresh(),
            new: Zipper::fresh(),
        }
    }

    /// The cursor between epochs, IDLE.
    pub fn idle_cursor() -> F {
        static IDLE: OnceLock<F> = OnceLock::new();
        *IDLE.get_or_init(|| Registers::idle().digest())
    }

    /// The nine flags, the least significant first.
    pub fn flags(&self) -> [bool; 9] {
        let shared = self.head.shared == F::ONE;
        let merge = [self.inside, self.has_old, self.old_read, self.known, self.wait_right];
        let [inside, has_old, old_read, known, wait_right] = merge;
        let (more, empty) = (self.more, self.empty);
        [self.active, inside, has_old, old_read, known, wait_right, more, shared, empty]
    }

    /// The registers as field elements, in the order in which they are hashed.
    pub fn to_fields(&self) -> [F; REGISTER_FIELDS] {
        let flags = self.flags().iter().rev().fold(0u64, |n, flag| 2 * n + u64::from(*flag));
        let small = [
            F::from(flags),
            F::from(self.floor),
            self.head.public_key.x,
            self.head.public_key.y,
            self.head.seq,
            self.head.head,
            F::from(self.ts),
            self.kappa,
            self.value,
            F::from(self.ops),
            self.acc.x,
            self.acc.y,
            self.key[0],
            self.key[1],
            self.key[2],
            self.stamp,
            F::from(self.due),
            F::from(self.next_close),
            F::from(self.cur),
        ];
        let mut fields = [F::ZERO; REGISTER_FIELDS];
        let zippers = [self.old, self.new];
        let chains =
            zippers.iter().flat_map(|zipper| [zipper.open].into_iter().chain(zipper.above));
        for (field, value) in fields.iter_mut().zip(small.into_iter().chain(chains)) {
            *field = value;
        }
        fields
    }

    /// The cursor: a chain of `H_n^CURSOR` with up to 12 inputs. From the second hash on, the first
    /// input is the previous digest.
    pub fn digest(&self) -> F {
        let fields = self.to_fields();
        let (first, rest) = fields.split_at(MAX_INPUTS);
        rest.chunks(MAX_INPUTS - 1).fold(hash_slice(Tag::Cursor, first), |digest, chunk| {
            let mut inputs = vec![digest];
            inputs.extend_from_slice(chunk);
            hash_slice(Tag::Cursor, &inputs)
        })
    }
}
