//! The log lane: rules L1 to L13.

use ark_ff::{AdditiveGroup, Field};

use super::{add, require, OpSlot, Registers, Rule, Segment, SlotClass, Violation};
use crate::{
    accumulator::{Addend, Class, Lane},
    eddsa::verify,
    field::to_u64,
    hash::{hash, Tag},
    head::{link, signed_message, Head},
    height::height,
    item::item,
    key::{Key, KeyKind},
    log::OWNER,
    mark::belongs_to,
    stamp::Stamp,
    value::tombstone,
    F,
};

/// Processes a segment: it may start a run, has up to q ops, and may end the run.
///
/// # Errors
/// The first rule that the segment breaks.
pub fn segment(r: &mut Registers, s: &Segment) -> Result<(), Violation> {
    let replacement = s.ops.first().filter(|slot| slot.class == SlotClass::Replacement);
    let read = head_item(s.writer, s.stamp, s.head.digest());
    if s.start || (replacement.is_some() && !s.end) {
        require(to_u64(&s.head.seq).is_some(), Rule::L2, "seq is not below 2^64")?;
        let right = s.head.shared == F::ZERO || s.head.shared == F::ONE;
        require(right, Rule::L2, "the right to shared keys is neither 0 nor 1")?;
        add(r, &Addend { class: Class::Read, height: 0, item: read }, Lane::Log)?;
    }
    if s.start {
        require(!r.active, Rule::L1, "a run starts while another is active")?;
        require(u64::from(s.writer) >= r.floor, Rule::L1, "writers do not increase")?;
        r.active = true;
        r.empty = true;
        r.floor = u64::from(s.writer) + 1;
        r.head = s.head;
        r.ts = s.stamp.ts;
    }
    for (index, slot) in s.ops.iter().enumerate() {
        let first = index == 0 || slot.class != SlotClass::Replacement;
        require(first, Rule::L12, "a replacement that is not the first op of a segment")?;
        op_slot(r, slot)?;
        r.empty &= index > 0 || !slot.class.is_used();
    }
    match replacement {
        Some(slot) if s.end => owner_key_replaced(s, slot)?,
        Some(slot) => head_replaced(r, s, slot, read)?,
        None => {}
    }
    if s.end {
        require(!r.empty, Rule::L1, "a run without ops")?;
        require(r.active, Rule::L5, "a run ends that is not active")?;
        require(!r.more, Rule::L11, "a run ends inside a group")?;
        let message = signed_message(r.head.head, r.head.seq);
        let signed = verify(&r.head.public_key, message, &s.signature).is_ok();
        require(signed, Rule::L5, "the signature over the run's last head is not valid")?;
        require(to_u64(&r.head.seq).is_some(), Rule::L6, "seq is not below 2^64")?;
        let writer = (r.floor - 1) as u32;
        let stamp = Stamp { ts: r.ts, writer };
        let public_key = replacement.map_or(r.head.public_key, |_| s.new_key);
        let item = head_item(writer, stamp, Head { public_key, ..r.head }.digest());
        add(r, &Addend { class: Class::Write, height: 0, item }, Lane::Log)?;
        r.active = false;
    }
    Ok(())
}

/// L12: the first op of a segment replaces the head of another writer, `s.writer`, whose item in the old
/// tree is `read`. The new head has the old number of ops and the old head of the log.
fn head_replaced(r: &mut Registers, s: &Segment, slot: &OpSlot, read: F) -> Result<(), Violation> {
    require(!s.start, Rule::L12, "a replacement in the segment in which its run starts")?;
    let names = slot.key == Key::replacement(s.writer).limbs();
    require(names, Rule::L12, "the op replaces the head of another writer")?;
    let after = Head { public_key: s.new_key, shared: F::from(s.new_shared), ..s.head }.digest();
    let value = hash(Tag::Replace, [read, after]);
    require(slot.value == value, Rule::L12, "the op names another head, or another new one")?;
    let item = head_item(s.writer, Stamp { ts: slot.ts, writer: OWNER }, after);
    add(r, &Addend { class: Class::Write, height: 0, item }, Lane::Log)
}

/// L13: the only op of a segment with which the owner's run ends replaces the owner's key.
fn owner_key_replaced(s: &Segment, slot: &OpSlot) -> Result<(), Violation> {
    let value = hash(Tag::Replace, [s.new_key.x, s.new_key.y]);
    require(slot.value == value, Rule::L12, "the op names another key")?;
    let names = slot.key == Key::replacement(OWNER).limbs();
    require(names, Rule::L13, "the op replaces the head of another writer")?;
    let alone = s.ops[1..].iter().all(|slot| !slot.class.is_used());
    require(alone, Rule::L13, "an op after the one that replaces the owner's key")
}

/// Processes an op slot.
///
/// # Errors
/// The first rule that the slot breaks.
pub fn op_slot(r: &mut Registers, slot: &OpSlot) -> Result<(), Violation> {
    let out_of_range = Violation { rule: Rule::L9, what: "a limb is not below 2^248" };
    let key = Key::from_limbs(&slot.key).ok_or(out_of_range)?;
    if !slot.class.is_used() {
        return Ok(());
    }
    require(r.active, Rule::L8, "an op outside a run")?;
    let mark = slot.class == SlotClass::Mark;
    require(mark || slot.ts > r.ts, Rule::L3, "ts does not grow")?;
    let writer = (r.floor - 1) as u32;
    let owners = matches!(slot.class, SlotClass::Grant | SlotClass::Replacement);
    require(!owners || writer == OWNER, Rule::L7, "an op of the owner by another writer")?;
    allowed_key(r, &key, writer, slot.class)?;
    if mark {
        marks_last_op(r, slot)?;
    }
    let kappa = key.digest();
    let item = item(kappa, Stamp { ts: slot.ts, writer }.to_field(), slot.value);
    r.ts = slot.ts;
    r.head.head = link(r.head.head, item, slot.more);
    r.head.seq += F::ONE;
    r.more = slot.more;
    r.ops += 1;
    if !mark {
        (r.kappa, r.value) = (kappa, slot.value);
    }
    let class = match slot.class {
        // Its segment adds the head entries.
        SlotClass::Replacement => return Ok(()),
        SlotClass::Grant => Class::Grant,
        _ => Class::User,
    };
    add(r, &Addend { class, height: height(kappa) as u8, item }, Lane::Log)
}

/// L9: the key belongs to the slot's class, and the writer may write it.
fn allowed_key(r: &Registers, key: &Key, writer: u32, class: SlotClass) -> Result<(), Violation> {
    require(SlotClass::of(key.kind()) == class, Rule::L9, "a key of another class")?;
    match key.kind() {
        KeyKind::Owned(owner) => require(owner == writer, Rule::L9, "a key of another writer"),
        KeyKind::Shared => {
            let may = r.head.shared == F::ONE;
            require(may, Rule::L9, "a shared key without the right to shared keys")
        }
        _ => Ok(()),
    }
}

/// L10: a mark follows an op in its group, and has its clock, its value or a tombstone, and its key's
/// digest.
fn marks_last_op(r: &Registers, slot: &OpSlot) -> Result<(), Violation> {
    require(r.more, Rule::L10, "a mark that begins a group")?;
    require(slot.ts == r.ts, Rule::L10, "a mark with another clock")?;
    let value = slot.value == r.value || slot.value == tombstone();
    require(value, Rule::L10, "a mark with another value")?;
    require(belongs_to(&slot.key, r.kappa), Rule::L10, "a mark of another key")
}

/// The item of a head entry.
fn head_item(writer: u32, stamp: Stamp, value: F) -> F {
    item(Key::head(writer).digest(), stamp.to_field(), value)
}
