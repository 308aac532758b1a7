//! The registers, the twin of `core::step::Registers`.

use ark_ff::Field;
use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, GR1CSVar};
use ark_relations::gr1cs::ConstraintSystemRef;
use rootfold_arith::poseidon::MAX_INPUTS;
use rootfold_core::{
    hash::Tag,
    step::{Registers, Zipper, REGISTER_FIELDS},
    F,
};

use crate::{accumulator::PointVar, bits::pack, hash::hash, head::HeadVar, Bit, Result, Var};

/// The registers as variables. [`Registers`] documents each.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct RegistersVar {
    pub active: Bit,
    pub empty: Bit,
    pub floor: Var,
    pub head: HeadVar,
    pub ts: Var,
    pub more: Bit,
    pub kappa: Var,
    pub value: Var,
    pub ops: Var,
    pub acc: PointVar,
    pub key: [Var; 3],
    pub stamp: Var,
    pub inside: Bit,
    pub has_old: Bit,
    pub old_read: Bit,
    pub known: Bit,
    pub wait_right: Bit,
    pub due: Var,
    pub next_close: Var,
    pub cur: Var,
    pub old: ZipperVar,
    pub new: ZipperVar,
}

/// The open nodes of one tree, the twin of [`Zipper`].
#[derive(Clone)]
#[allow(missing_docs)]
pub struct ZipperVar {
    pub open: Var,
    /// Chains of the open nodes above, from level 1.
    pub above: Vec<Var>,
}

impl ZipperVar {
    fn new_witness(cs: &ConstraintSystemRef<F>, zipper: &Zipper) -> Result<ZipperVar> {
        let witness = |x: &F| Var::new_witness(cs.clone(), || Ok(*x));
        let above = zipper.above.iter().map(witness).collect::<Result<Vec<Var>>>()?;
        Ok(ZipperVar { open: witness(&zipper.open)?, above })
    }
}

impl RegistersVar {
    /// Allocates registers as witness. Enforces only that the flags are 0 or 1; the cursor binds
    /// all registers to those after the previous step.
    pub fn new_witness(cs: &ConstraintSystemRef<F>, r: &Registers) -> Result<RegistersVar> {
        let witness = |x: F| Var::new_witness(cs.clone(), || Ok(x));
        let bit = |b: bool| Bit::new_witness(cs.clone(), || Ok(b));
        Ok(RegistersVar {
            active: bit(r.active)?,
            empty: bit(r.empty)?,
            floor: witness(F::from(r.floor))?,
            head: HeadVar::new_witness(cs, &r.head)?,
            ts: witness(F::from(r.ts))?,
            more: bit(r.more)?,
            kappa: witness(r.kappa)?,
            value: witness(r.value)?,
            ops: witness(F::from(r.ops))?,
            acc: PointVar::new_witness(cs, &r.acc)?,
            key: [witness(r.key[0])?, witness(r.key[1])?, witness(r.key[2])?],
            stamp: witness(r.stamp)?,
            inside: bit(r.inside)?,
            has_old: bit(r.has_old)?,
            old_read: bit(r.old_read)?,
            known: bit(r.known)?,
            wait_right: bit(r.wait_right)?,
            due: witness(F::from(r.due))?,
            next_close: witness(F::from(r.next_close))?,
            cur: witness(F::from(r.cur))?,
            old: ZipperVar::new_witness(cs, &r.old)?,
            new: ZipperVar::new_witness(cs, &r.new)?,
        })
    }

    /// The writer of the open run.
    pub fn writer(&self) -> Var {
        &self.floor - F::ONE
    }

    /// The registers in the order in which they are hashed.
    fn to_vars(&self, cs: &ConstraintSystemRef<F>) -> Result<Vec<Var>> {
        let flags = [
            &self.active,
            &self.inside,
            &self.has_old,
            &self.old_read,
            &self.known,
            &self.wait_right,
            &self.more,
            &self.head.shared,
            &self.empty,
        ];
        let flags = pack(cs, &flags.map(Clone::clone))?;
        let mut vars = vec![
            flags,
            self.floor.clone(),
            self.head.x.clone(),
            self.head.y.clone(),
            self.head.seq.clone(),
            self.head.head.clone(),
            self.ts.clone(),
            self.kappa.clone(),
            self.value.clone(),
            self.ops.clone(),
            self.acc.x.clone(),
            self.acc.y.clone(),
            self.key[0].clone(),
            self.key[1].clone(),
            self.key[2].clone(),
            self.stamp.clone(),
            self.due.clone(),
            self.next_close.clone(),
            self.cur.clone(),
        ];
        for zipper in [&self.old, &self.new] {
            vars.push(zipper.open.clone());
            vars.extend(zipper.above.iter().cloned());
        }
        debug_assert_eq!(vars.len(), REGISTER_FIELDS);
        Ok(vars)
    }

    /// The cursor: a chain of four `H_12^CURSOR`.
    pub fn digest(&self, cs: &ConstraintSystemRef<F>) -> Result<Var> {
        let vars = self.to_vars(cs)?;
        let (first, rest) = vars.split_at(MAX_INPUTS);
        let mut digest = hash(Tag::Cursor, first)?;
        for chunk in rest.chunks(MAX_INPUTS - 1) {
            let mut inputs = vec![digest];
            inputs.extend_from_slice(chunk);
            digest = hash(Tag::Cursor, &inputs)?;
        }
        Ok(digest)
    }
}

/// `other` if the condition is 1, else `value`, as a new variable with one constraint. Without the
/// variable, the linear combination of a register would grow with every row that replaces it.
pub(super) fn replace(condition: &Var, value: &Var, other: &Var) -> Result<Var> {
    let difference = other - value;
    let cs = condition.cs().or(difference.cs());
    let replaced =
        Var::new_witness(cs, || Ok(value.value()? + condition.value()? * difference.value()?))?;
    condition.mul_equals(&difference, &(&replaced - value))?;
    Ok(replaced)
}

/// `1 - bit`.
pub(super) fn not(bit: &Var) -> Var {
    Var::one() - bit
}
