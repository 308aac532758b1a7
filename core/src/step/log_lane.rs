//! The log lane: rules L1 to L9.

use ark_ff::Field;

use super::{add, require, OpSlot, Registers, Rule, Segment, Violation};
use crate::{
    accumulator::{Addend, Class, Lane},
    eddsa::verify,
    field::to_u64,
    head::{link, signed_message},
    height::height,
    item::item,
    key::{Key, KeyKind},
    stamp::Stamp,
    F,
};

/// Processes a segment: it may start a run, has up to q ops, and may end the run.
///
/// # Errors
/// The first rule that the segment breaks.
pub fn segment(r: &mut Registers, s: &Segment) -> Result<(), Violation> {
    if s.start {
        require(!r.active, Rule::L1, "a run starts while another is active")?;
        require(u64::from(s.writer) >= r.floor, Rule::L1, "writers do not increase")?;
        let first_used = s.ops.first().is_some_and(|slot| slot.used);
        require(first_used, Rule::L1, "a run without ops")?;
        require(to_u64(&s.head.seq).is_some(), Rule::L2, "seq is not below 2^64")?;
        let read = head_item(s.writer, s.stamp, s.head.digest());
        add(r, &Addend { class: Class::Read, height: 0, item: read }, Lane::Log)?;
        r.active = true;
        r.floor = u64::from(s.writer) + 1;
        r.head = s.head;
        r.ts = s.stamp.ts;
    }
    for slot in &s.ops {
        op_slot(r, slot)?;
    }
    if s.end {
        require(r.active, Rule::L5, "a run ends that is not active")?;
        let message = signed_message(r.head.head, r.head.seq);
        let signed = verify(&r.head.public_key, message, &s.signature).is_ok();
        require(signed, Rule::L5, "the signature over the run's last head is not valid")?;
        require(to_u64(&r.head.seq).is_some(), Rule::L6, "seq is not below 2^64")?;
        let writer = (r.floor - 1) as u32;
        let stamp = Stamp { ts: r.ts, writer };
        let item = head_item(writer, stamp, r.head.digest());
        add(r, &Addend { class: Class::Write, height: 0, item }, Lane::Log)?;
        r.active = false;
    }
    Ok(())
}

/// Processes an op slot.
///
/// # Errors
/// The first rule that the slot breaks.
pub fn op_slot(r: &mut Registers, slot: &OpSlot) -> Result<(), Violation> {
    let out_of_range = Violation { rule: Rule::L9, what: "a limb is not below 2^248" };
    let key = Key::from_limbs(&slot.key).ok_or(out_of_range)?;
    if !slot.used {
        return Ok(());
    }
    require(r.active, Rule::L8, "an op outside a run")?;
    require(slot.ts > r.ts, Rule::L3, "ts does not grow")?;
    let writer = (r.floor - 1) as u32;
    require(!slot.grant || writer == 0, Rule::L7, "a grant by a writer who is not the owner")?;
    allowed_key(&key, slot.grant)?;
    let kappa = key.digest();
    let item = item(kappa, Stamp { ts: slot.ts, writer }.to_field(), slot.value);
    r.ts = slot.ts;
    r.head.head = link(r.head.head, item);
    r.head.seq += F::ONE;
    r.ops += 1;
    let class = if slot.grant { Class::Grant } else { Class::User };
    add(r, &Addend { class, height: height(kappa) as u8, item }, Lane::Log)
}

/// L9: an op writes a user key, and a grant writes the key of a head entry.
fn allowed_key(key: &Key, grant: bool) -> Result<(), Violation> {
    let what = match (grant, key.kind()) {
        (false, KeyKind::User) | (true, KeyKind::Head(_)) => return Ok(()),
        (false, _) => "a user op on a key without 0x01",
        (true, _) => "a grant on another key than a head's",
    };
    Err(Violation { rule: Rule::L9, what })
}

/// The item of a head entry.
fn head_item(writer: u32, stamp: Stamp, value: F) -> F {
    item(Key::head(writer).digest(), stamp.to_field(), value)
}
