//! The log lane: rules L1 to L9 (design 5).

use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

use super::{require, OpSlot, Registers, Rule, Segment, Violation};
use crate::{
    accumulator::{accumulate, phi, Addend, Class, Lane},
    eddsa::verify,
    field::to_u64,
    head::{link, signed_message},
    height::height,
    item::item,
    key::{key_digest, Key, LIMB_BYTES, USER_BYTE},
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
        add(r, Addend { class: Class::Read, height: 0, item: read })?;
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
        add(r, Addend { class: Class::Write, height: 0, item })?;
        r.active = false;
    }
    Ok(())
}

/// One op slot of an active run.
///
/// # Errors
/// The first rule that the slot breaks.
pub fn op_slot(r: &mut Registers, slot: &OpSlot) -> Result<(), Violation> {
    let key = limb_bytes(&slot.key)?;
    if !slot.used {
        return Ok(());
    }
    require(r.active, Rule::L8, "an op outside a run")?;
    require(slot.ts > r.ts, Rule::L3, "ts does not grow")?;
    let writer = (r.floor - 1) as u32;
    require(!slot.grant || writer == 0, Rule::L7, "a grant by a writer who is not the owner")?;
    allowed_key(&key, slot.grant)?;
    let kappa = key_digest(slot.key);
    let item = item(kappa, Stamp { ts: slot.ts, writer }.to_field(), slot.value);
    r.ts = slot.ts;
    r.head.head = link(r.head.head, item);
    r.head.seq += F::ONE;
    r.ops += 1;
    let class = if slot.grant { Class::Grant } else { Class::User };
    add(r, Addend { class, height: height(kappa) as u8, item })
}

/// The bytes of the limbs of an op's key (L9).
fn limb_bytes(limbs: &[F; 3]) -> Result<[Vec<u8>; 3], Violation> {
    let bytes = limbs.map(|limb| limb.into_bigint().to_bytes_be());
    let in_range = bytes.iter().all(|b| b[..32 - LIMB_BYTES].iter().all(|x| *x == 0));
    require(in_range, Rule::L9, "a limb is not below 2^248")?;
    Ok(bytes.map(|b| b[32 - LIMB_BYTES..].to_vec()))
}

/// L9: users write user keys, and a grant is of a writer's head.
fn allowed_key(limbs: &[Vec<u8>; 3], grant: bool) -> Result<(), Violation> {
    if !grant {
        return require(limbs[0][0] == USER_BYTE, Rule::L9, "a user op on a key without 0x01");
    }
    // The last four bytes are any writer's id.
    let (zeros, tail) = limbs[2].split_at(LIMB_BYTES - 8);
    let head_key = limbs[..2].iter().flatten().chain(zeros).all(|b| *b == 0);
    require(head_key && tail[..4] == [0, 0, 0, 1], Rule::L9, "a grant on another key than a head's")
}

/// The item of a writer's head entry.
fn head_item(writer: u32, stamp: Stamp, value: F) -> F {
    item(Key::head(writer).digest(), stamp.to_field(), value)
}

fn add(r: &mut Registers, addend: Addend) -> Result<(), Violation> {
    let point = phi(&addend, Lane::Log);
    let met = Violation { rule: Rule::Accumulator, what: "the sum meets a point of the same x" };
    r.acc = accumulate(r.acc, &addend, point).ok_or(met)?;
    debug_assert!(r.acc.y != F::ZERO, "Grumpkin has prime order");
    Ok(())
}
