//! The log lane: rules L1 to L13, the twin of `core::step::log_lane`.

use ark_ff::Field;
use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, select::CondSelectGadget};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use rootfold_core::{
    accumulator::{Class, Lane},
    hash::Tag,
    key::{INDEX_BYTE, OWNED_BYTE, SHARED_BYTE},
    mark::{inverse_of_limb, HIGH_BITS},
    step::{OpSlot, Segment, SlotClass},
    F,
};

use super::registers::{not, replace, RegistersVar};
use crate::{
    accumulator::{accumulate, class, number, Addend},
    bits::{enforce_equal, pack, range_bits, selectors},
    eddsa::{verify, SignatureVar},
    hash::hash,
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

/// One segment: may start a run, has one slot for each op, and may end the run. Its first op may replace a
/// head.
pub fn segment(cs: &ConstraintSystemRef<F>, r: &mut RegistersVar, s: &Segment) -> Result<()> {
    let bit = |b: bool| Bit::new_witness(cs.clone(), || Ok(b));
    let replaces_head =
        s.ops.first().is_some_and(|op| op.class == SlotClass::Replacement) && !s.end;
    let bounds = Bounds { start: bit(s.start)?, end: bit(s.end)?, replaces: bit(replaces_head)? };
    let opened = open_head(cs, r, s, &bounds)?;
    let mut slots = Vec::with_capacity(s.ops.len());
    for (index, slot) in s.ops.iter().enumerate() {
        let slot = op_slot(cs, r, slot)?;
        if index == 0 {
            rule!(cs, L1);
            r.empty = &r.empty & &!&slot.used;
        }
        slots.push(slot);
    }
    let written = new_head(cs, r, s, &bounds, &opened, &slots)?;
    end_run(cs, r, s, &bounds, &opened.kappa, &written)
}

/// What a segment does beside its ops.
struct Bounds {
    /// Whether a run starts.
    start: Bit,
    /// Whether the run ends.
    end: Bit,
    /// Whether the first op replaces the head of another writer.
    replaces: Bit,
}

/// A head entry of the old tree, opened where a run starts or a head is replaced.
struct OpenedHead {
    /// The writer in the segment's witness.
    writer: Var,
    /// The digest of the head key of the writer whose head the segment opens, or of the run's writer.
    kappa: Var,
    head: HeadVar,
    /// The item of the entry.
    item: Var,
}

/// The start of a run (L1), and the head entry of the old tree that the segment opens (L2).
fn open_head(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    s: &Segment,
    bounds: &Bounds,
) -> Result<OpenedHead> {
    let start = &bounds.start;
    let started = var(start);
    let writer = {
        rule!(cs, L1);
        zero_if(&started, &var(&r.active))?;
        let writer = Var::new_witness(cs.clone(), || Ok(F::from(s.writer)))?;
        range_bits(cs, &writer, WRITER_BITS)?;
        range_bits(cs, &(&started * (&writer - &r.floor)), WRITER_BITS)?;
        r.floor = replace(&started, &r.floor, &(&writer + F::ONE))?;
        r.active = &r.active | start;
        r.empty = &r.empty | start;
        writer
    };
    rule!(cs, L2);
    let head = HeadVar::new_witness(cs, &s.head)?;
    range_bits(cs, &head.seq, CLOCK_BITS)?;
    let stamp_ts = Var::new_witness(cs.clone(), || Ok(F::from(s.stamp.ts)))?;
    let stamp_writer = Var::new_witness(cs.clone(), || Ok(F::from(s.stamp.writer)))?;
    range_bits(cs, &stamp_ts, CLOCK_BITS)?;
    range_bits(cs, &stamp_writer, WRITER_BITS)?;
    let of = replace(&var(&bounds.replaces), &r.writer(), &writer)?;
    let kappa = head_key_digest(&of)?;
    let item = item(&kappa, &stamp(&stamp_ts, &stamp_writer), &head.digest()?)?;
    let opens = start | &bounds.replaces;
    add(cs, r, &opens, &class(Class::Read), &item)?;
    r.head = HeadVar::select(start, &head, &r.head)?;
    r.ts = replace(&started, &r.ts, &stamp_ts)?;
    Ok(OpenedHead { writer, kappa, head, item })
}

/// A head entry of the new tree.
struct WrittenHead {
    stamp: Var,
    /// The digest of the head.
    value: Var,
}

/// The head entry that the segment writes: the run's at its end, or the one that its first op puts in
/// place (L12, L13).
fn new_head(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    s: &Segment,
    bounds: &Bounds,
    old: &OpenedHead,
    slots: &[SlotVar],
) -> Result<WrittenHead> {
    let witness = |x: F| Var::new_witness(cs.clone(), || Ok(x));
    let (first, later) = slots.split_first().ok_or(SynthesisError::Unsatisfiable)?;
    let replaces = var(&bounds.replaces);
    let replaces_key = &first.replacement - &replaces;
    rule!(cs, L12);
    let new_key = (witness(s.new_key.x)?, witness(s.new_key.y)?);
    let new_shared = var(&Bit::new_witness(cs.clone(), || Ok(s.new_shared))?);
    let parts = [
        replace(&first.replacement, &r.head.x, &new_key.0)?,
        replace(&first.replacement, &r.head.y, &new_key.1)?,
        replace(&replaces, &r.head.seq, &old.head.seq)?,
        replace(&replaces, &r.head.head, &old.head.head)?,
        replace(&replaces, &var(&r.head.shared), &new_shared)?,
    ];
    let value = hash(Tag::Head, &parts)?;
    let signed = hash(
        Tag::Replace,
        &[
            replace(&replaces_key, &old.item, &new_key.0)?,
            replace(&replaces_key, &value, &new_key.1)?,
        ],
    )?;
    zero_if(&first.replacement, &(&first.value - signed))?;
    // Whether the run ends tells the two replacements apart.
    first.replacement.mul_equals(&not(&var(&bounds.end)), &replaces)?;
    zero_if(&replaces, &var(&bounds.start))?;
    zero_if(&replaces, &(&first.key_writer - &old.writer))?;
    let later_replacements = later.iter().fold(Var::zero(), |sum, slot| sum + &slot.replacement);
    enforce_equal(cs, &later_replacements, &Var::zero())?;
    let written = stamp(&r.ts, &r.writer());
    let stamp = replace(&replaces, &written, &stamp(&first.ts, &r.writer()))?;
    rule!(cs, L13);
    zero_if(&replaces_key, &first.key_writer)?;
    let used_later = later.iter().fold(Var::zero(), |sum, slot| sum + var(&slot.used));
    zero_if(&replaces_key, &used_later)?;
    Ok(WrittenHead { stamp, value })
}

/// The selectors of a slot's class: exactly one is 1.
struct Classes(Vec<Bit>);

impl Classes {
    fn new_witness(cs: &ConstraintSystemRef<F>, class: SlotClass) -> Result<Classes> {
        Ok(Classes(selectors(cs, SlotClass::ALL.len(), class as usize)?))
    }

    fn bit(&self, class: SlotClass) -> &Bit {
        &self.0[class as usize]
    }

    fn is(&self, class: SlotClass) -> Var {
        var(self.bit(class))
    }

    fn used(&self) -> Bit {
        !self.bit(SlotClass::Unused)
    }
}

/// What a segment asks of its slots.
pub struct SlotVar {
    /// Whether the slot has an op.
    pub used: Bit,
    /// Whether the op replaces a head.
    pub replacement: Var,
    /// The low 32 bits of the key: the writer whose head is granted or replaced.
    pub key_writer: Var,
    /// The op's clock.
    pub ts: Var,
    /// The op's value digest.
    pub value: Var,
}

/// One op slot (L3, L4, L7 to L11).
pub fn op_slot(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    slot: &OpSlot,
) -> Result<SlotVar> {
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
    let replacement = classes.is(SlotClass::Replacement);
    let ts = witness(F::from(slot.ts))?;
    {
        rule!(cs, L3);
        range_bits(cs, &ts, CLOCK_BITS)?;
        range_bits(cs, &((&used - &mark) * (&ts - &r.ts - F::ONE)), CLOCK_BITS)?;
    }
    {
        rule!(cs, L7);
        zero_if(&(&grant + &replacement), &r.writer())?;
    }
    let (kappa, height, key_writer) = {
        rule!(cs, L9);
        let key_writer = allowed_key(cs, r, &key, &limbs, &classes)?;
        let kappa = key_digest(&key)?;
        let height = height(cs, &kappa)?;
        (kappa, height, key_writer)
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
    // A segment adds the head entries that a replacement concerns. USER is 2 and GRANT is 3.
    let added = &used_bit & &!classes.bit(SlotClass::Replacement);
    add(cs, r, &added, &number(&(class(Class::User) + grant), &height), &item)?;
    Ok(SlotVar { used: used_bit, replacement, key_writer, ts, value })
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

/// L9: the key belongs to the slot's class, and the writer may write it. Returns the low 32 bits of the key.
fn allowed_key(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    key: &[Var; 3],
    limbs: &[Vec<Bit>; 3],
    classes: &Classes,
) -> Result<Var> {
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
    let replacement = is(SlotClass::Replacement);
    let of_writer = &grant + &replacement;
    zero_if(&of_writer, &key[0])?;
    zero_if(&of_writer, &key[1])?;
    // Replacement keys begin where the head keys end.
    let base = (Var::one() + replacement) * head_key_base();
    zero_if(&of_writer, &(&key[2] - base - &writer))?;
    Ok(writer)
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

/// The end of a run (L1, L5, L6, L11), and the head entry that the segment writes.
fn end_run(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    s: &Segment,
    bounds: &Bounds,
    kappa: &Var,
    written: &WrittenHead,
) -> Result<()> {
    let end = &bounds.end;
    let ended = var(end);
    {
        rule!(cs, L1);
        // A run without ops would change the stamp of a granted writer's head entry, and with it the
        // root.
        zero_if(&ended, &var(&r.empty))?;
    }
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
    let write = item(kappa, &written.stamp, &written.value)?;
    let writes = end | &bounds.replaces;
    add(cs, r, &writes, &class(Class::Write), &write)?;
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
