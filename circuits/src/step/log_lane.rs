//! The log lane: rules L1 to L11, the twin of `core::step::log_lane`.

use ark_ff::Field;
use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, select::CondSelectGadget};
use ark_relations::gr1cs::ConstraintSystemRef;
use rootfold_core::{
    accumulator::{Class, Lane},
    key::{INDEX_BYTE, OWNED_BYTE, SHARED_BYTE},
    mark::{inverse_of_limb, HIGH_BITS},
    step::{OpSlot, Segment, SlotClass},
    F,
};

use super::registers::{not, replace, RegistersVar};
use crate::{
    accumulator::{accumulate, class, number, Addend},
    bits::{pack, range_bits, selectors},
    eddsa::{verify, SignatureVar},
    head::{link, signed_message, HeadVar},
    height::height,
    item::item,
    key::{head_key_base, head_key_digest, key_digest, LIMB_BITS},
    rule, var, zero_if, Bit, Result, Var,
};

/// Bits of a clock and of a seq.
const CLOCK_BITS: usize = 64;
/// Bits of a writer's id.
const WRITER_BITS: usize = 32;

/// One segment: may start a run, has one slot for each op, and may end the run.
pub fn segment(cs: &ConstraintSystemRef<F>, r: &mut RegistersVar, s: &Segment) -> Result<()> {
    let bit = |b: bool| Bit::new_witness(cs.clone(), || Ok(b));
    let (start, end) = (bit(s.start)?, bit(s.end)?);
    let kappa = start_run(cs, r, s, &start)?;
    for (i, slot) in s.ops.iter().enumerate() {
        let used = op_slot(cs, r, slot)?;
        if i == 0 {
            rule!(cs, L1);
            // A run without ops would change the stamp of a granted writer's head entry, and with
            // it the root.
            zero_if(&var(&start), &not(&used))?;
        }
    }
    end_run(cs, r, s, &end, &kappa)
}

/// The start of a run (L1, L2). Returns the digest of the head key of the run's writer.
fn start_run(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    s: &Segment,
    start: &Bit,
) -> Result<Var> {
    let started = var(start);
    {
        rule!(cs, L1);
        zero_if(&started, &var(&r.active))?;
        let writer = Var::new_witness(cs.clone(), || Ok(F::from(s.writer)))?;
        range_bits(cs, &writer, WRITER_BITS)?;
        range_bits(cs, &(&started * (&writer - &r.floor)), WRITER_BITS)?;
        r.floor = replace(&started, &r.floor, &(writer + F::ONE))?;
        r.active = &r.active | start;
    }
    rule!(cs, L2);
    let head = HeadVar::new_witness(cs, &s.head)?;
    range_bits(cs, &head.seq, CLOCK_BITS)?;
    let stamp_ts = Var::new_witness(cs.clone(), || Ok(F::from(s.stamp.ts)))?;
    let stamp_writer = Var::new_witness(cs.clone(), || Ok(F::from(s.stamp.writer)))?;
    range_bits(cs, &stamp_ts, CLOCK_BITS)?;
    range_bits(cs, &stamp_writer, WRITER_BITS)?;
    let kappa = head_key_digest(&r.writer())?;
    let read = item(&kappa, &stamp(&stamp_ts, &stamp_writer), &head.digest()?)?;
    add(cs, r, start, &class(Class::Read), &read)?;
    r.head = HeadVar::select(start, &head, &r.head)?;
    r.ts = replace(&started, &r.ts, &stamp_ts)?;
    Ok(kappa)
}

/// The selectors of a slot's class: exactly one is 1.
struct Classes(Vec<Bit>);

impl Classes {
    fn new_witness(cs: &ConstraintSystemRef<F>, class: SlotClass) -> Result<Classes> {
        Ok(Classes(selectors(cs, SlotClass::ALL.len(), class as usize)?))
    }

    fn is(&self, class: SlotClass) -> Var {
        var(&self.0[class as usize])
    }

    fn used(&self) -> Bit {
        !&self.0[SlotClass::Unused as usize]
    }
}

/// One op slot (L3, L4, L7 to L11). Returns whether it is used.
pub fn op_slot(cs: &ConstraintSystemRef<F>, r: &mut RegistersVar, slot: &OpSlot) -> Result<Var> {
    let witness = |x: F| Var::new_witness(cs.clone(), || Ok(x));
    let (key, limbs) = limbs(cs, slot)?;
    let (classes, used_bit, used) = {
        rule!(cs, L8);
        let classes = Classes::new_witness(cs, slot.class)?;
        let used_bit = classes.used();
        let used = var(&used_bit);
        zero_if(&used, &not(&var(&r.active)))?;
        (classes, used_bit, used)
    };
    let (mark, grant) = (classes.is(SlotClass::Mark), classes.is(SlotClass::Grant));
    let ts = witness(F::from(slot.ts))?;
    {
        rule!(cs, L3);
        range_bits(cs, &ts, CLOCK_BITS)?;
        range_bits(cs, &((&used - &mark) * (&ts - &r.ts - F::ONE)), CLOCK_BITS)?;
    }
    {
        rule!(cs, L7);
        zero_if(&grant, &r.writer())?;
    }
    let (kappa, height) = {
        rule!(cs, L9);
        allowed_key(cs, r, &key, &limbs, &classes)?;
        let kappa = key_digest(&key)?;
        let height = height(cs, &kappa)?;
        (kappa, height)
    };
    let value = witness(slot.value)?;
    marks_last_op(cs, r, &mark, &ts, &key, &value)?;
    let more = {
        rule!(cs, L11);
        Bit::new_witness(cs.clone(), || Ok(slot.more))?
    };
    rule!(cs, L4);
    let item = item(&kappa, &stamp(&ts, &r.writer()), &value)?;
    let head = link(&r.head.head, &item, &more)?;
    r.head.head = Var::conditionally_select(&used_bit, &head, &r.head.head)?;
    r.head.seq += &used;
    r.ops += &used;
    r.ts = replace(&used, &r.ts, &ts)?;
    r.more = Bit::conditionally_select(&used_bit, &more, &r.more)?;
    let is_primary = &used - &mark;
    r.kappa = replace(&is_primary, &r.kappa, &kappa)?;
    r.value = replace(&is_primary, &r.value, &value)?;
    // USER is 2 and GRANT is 3.
    add(cs, r, &used_bit, &number(&(class(Class::User) + grant), &height), &item)?;
    Ok(used)
}

/// The limbs of an op's key and their bits, 248 each (L9).
fn limbs(cs: &ConstraintSystemRef<F>, slot: &OpSlot) -> Result<([Var; 3], [Vec<Bit>; 3])> {
    rule!(cs, L9);
    let limb = |x: F| Var::new_witness(cs.clone(), || Ok(x));
    let key = [limb(slot.key[0])?, limb(slot.key[1])?, limb(slot.key[2])?];
    let bits = |limb| range_bits(cs, limb, LIMB_BITS);
    let limbs = [bits(&key[0])?, bits(&key[1])?, bits(&key[2])?];
    Ok((key, limbs))
}

/// L9: the key belongs to the slot's class, and the writer may write it.
fn allowed_key(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    key: &[Var; 3],
    limbs: &[Vec<Bit>; 3],
    classes: &Classes,
) -> Result<()> {
    let is = |class| classes.is(class);
    let (shared, owned) = (is(SlotClass::Shared), is(SlotClass::Owned));
    let (mark, grant) = (is(SlotClass::Mark), is(SlotClass::Grant));
    let first_byte = pack(cs, &limbs[0][LIMB_BITS - 8..])?;
    let expected =
        &shared * F::from(SHARED_BYTE) + &owned * F::from(OWNED_BYTE) + &mark * F::from(INDEX_BYTE);
    (&shared + &owned + &mark).mul_equals(&first_byte, &expected)?;
    zero_if(&shared, &not(&var(&r.head.shared)))?;
    let owner = pack(cs, &limbs[0][LIMB_BITS - 8 - WRITER_BITS..LIMB_BITS - 8])?;
    zero_if(&owned, &(owner - r.writer()))?;
    let writer = pack(cs, &limbs[2][..WRITER_BITS])?;
    zero_if(&grant, &key[0])?;
    zero_if(&grant, &key[1])?;
    zero_if(&grant, &(&key[2] - head_key_base() - writer))
}

/// L10: a mark follows an op in its group, and has its clock, its value or a tombstone, and its key's
/// digest.
fn marks_last_op(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    mark: &Var,
    ts: &Var,
    key: &[Var; 3],
    value: &Var,
) -> Result<()> {
    rule!(cs, L10);
    zero_if(mark, &not(&var(&r.more)))?;
    zero_if(mark, &(ts - &r.ts))?;
    zero_if(&(mark * value), &(value - &r.value))?;
    let high_part = (&r.kappa - &key[2]) * inverse_of_limb();
    range_bits(cs, &(mark * high_part), HIGH_BITS)?;
    Ok(())
}

/// The end of a run (L5, L6, L11).
fn end_run(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    s: &Segment,
    end: &Bit,
    kappa: &Var,
) -> Result<()> {
    let ended = var(end);
    {
        rule!(cs, L11);
        zero_if(&ended, &var(&r.more))?;
    }
    {
        rule!(cs, L5);
        zero_if(&ended, &not(&var(&r.active)))?;
        let message = signed_message(&r.head.head, &r.head.seq)?;
        let signature = SignatureVar::new_witness(cs, &s.signature)?;
        verify(cs, end, (&r.head.x, &r.head.y), &message, &signature)?;
    }
    rule!(cs, L6);
    range_bits(cs, &(&ended * &r.head.seq), CLOCK_BITS)?;
    let write = item(kappa, &stamp(&r.ts, &r.writer()), &r.head.digest()?)?;
    add(cs, r, end, &class(Class::Write), &write)?;
    r.active = &r.active & &!end;
    Ok(())
}

/// The stamp: `ts * 2^32 + writer`.
fn stamp(ts: &Var, writer: &Var) -> Var {
    ts * F::from(1u64 << WRITER_BITS) + writer
}

fn add(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    active: &Bit,
    number: &Var,
    item: &Var,
) -> Result<()> {
    r.acc = accumulate(cs, &r.acc, &Addend { active, number, item, lane: Lane::Log })?;
    Ok(())
}
