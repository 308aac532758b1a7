//! The log lane: rules L1 to L8 (design 5).

use ark_ff::{AdditiveGroup, Field};

use super::{require, OpSlot, Registers, Rule, Segment, Violation};
use crate::{
    accumulator::{accumulate, phi, Class, Lane},
    eddsa::verify,
    field::to_u64,
    head::{link, signed_message},
    item::item,
    key::Key,
    stamp::Stamp,
    F,
};

/// One segment: may start a run, takes up to q ops, may end the run.
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
        add(r, Class::Read, read)?;
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
        add(r, Class::Write, head_item(writer, stamp, r.head.digest()))?;
        r.active = false;
    }
    Ok(())
}

/// One op slot of an active run.
///
/// # Errors
/// The first rule that the slot breaks.
pub fn op_slot(r: &mut Registers, slot: &OpSlot) -> Result<(), Violation> {
    if !slot.used {
        return Ok(());
    }
    require(r.active, Rule::L8, "an op outside a run")?;
    require(slot.ts > r.ts, Rule::L3, "ts does not grow")?;
    let writer = (r.floor - 1) as u32;
    require(!slot.grant || writer == 0, Rule::L7, "a grant by a writer who is not the owner")?;
    let item = item(slot.kappa, Stamp { ts: slot.ts, writer }.to_field(), slot.value);
    r.ts = slot.ts;
    r.head.head = link(r.head.head, item);
    r.head.seq += F::ONE;
    r.ops += 1;
    add(r, if slot.grant { Class::Grant } else { Class::User }, item)
}

/// The item of a writer's head entry.
fn head_item(writer: u32, stamp: Stamp, value: F) -> F {
    item(Key::head(writer).digest(), stamp.to_field(), value)
}

fn add(r: &mut Registers, class: Class, item: F) -> Result<(), Violation> {
    let point = phi(class, item, Lane::Log);
    let met = Violation { rule: Rule::Accumulator, what: "the sum meets a point of the same x" };
    r.acc = accumulate(r.acc, class, item, point).ok_or(met)?;
    debug_assert!(r.acc.y != F::ZERO, "Grumpkin has prime order");
    Ok(())
}
