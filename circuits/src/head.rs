//! Heads, the twin of `core::head`.

use ark_r1cs_std::{alloc::AllocVar, select::CondSelectGadget};
use ark_relations::gr1cs::ConstraintSystemRef;
use rootfold_core::{hash::Tag, head::Head, F};

use crate::{
    hash::{hash, hash_tagged},
    var, Bit, Result, Var,
};

/// The opening of the value of a head entry.
#[derive(Clone)]
pub struct HeadVar {
    /// x of the writer's public key.
    pub x: Var,
    /// y of the writer's public key.
    pub y: Var,
    /// Number of ops folded.
    pub seq: Var,
    /// The head: a hash chain over the ops.
    pub head: Var,
    /// Whether the writer may write shared keys.
    pub shared: Bit,
}

impl HeadVar {
    /// Allocates a head as witness. Enforces only that `shared` is 0 or 1.
    pub fn new_witness(cs: &ConstraintSystemRef<F>, head: &Head) -> Result<HeadVar> {
        let witness = |x: F| Var::new_witness(cs.clone(), || Ok(x));
        Ok(HeadVar {
            x: witness(head.public_key.x)?,
            y: witness(head.public_key.y)?,
            seq: witness(head.seq)?,
            head: witness(head.head)?,
            shared: Bit::new_witness(cs.clone(), || Ok(head.shared == F::from(1u64)))?,
        })
    }

    /// `H_5^HEAD(pk.x, pk.y, seq, head, shared)`.
    pub fn digest(&self) -> Result<Var> {
        let HeadVar { x, y, seq, head, shared } = self.clone();
        hash(Tag::Head, &[x, y, seq, head, var(&shared)])
    }

    /// `a` if the bit is 1, else `b`.
    pub fn select(bit: &Bit, a: &HeadVar, b: &HeadVar) -> Result<HeadVar> {
        let pick = |a, b| Var::conditionally_select(bit, a, b);
        Ok(HeadVar {
            x: pick(&a.x, &b.x)?,
            y: pick(&a.y, &b.y)?,
            seq: pick(&a.seq, &b.seq)?,
            head: pick(&a.head, &b.head)?,
            shared: Bit::conditionally_select(bit, &a.shared, &b.shared)?,
        })
    }
}

/// `head' = H_2^LINK(head, item)`, or with the tag LINK_MORE if the group goes on.
pub fn link(head: &Var, item: &Var, more: &Bit) -> Result<Var> {
    let (last, inner) = (Tag::Link.to_field(), Tag::LinkMore.to_field());
    let tag = var(more) * (inner - last) + last;
    hash_tagged(&tag, &[head.clone(), item.clone()])
}

/// `H_2^SIG(head, seq)`.
pub fn signed_message(head: &Var, seq: &Var) -> Result<Var> {
    hash(Tag::Sig, &[head.clone(), seq.clone()])
}
