//! The merge lane: rules M1 to M7 (design 5). M7's second half is CLOSE_NEW in `tree_row`.

use super::{require, MergeRow, Registers, RowClass, Rule, Violation};
use crate::{
    accumulator::{accumulate, phi, Lane},
    height::height,
    item::item,
    key::{key_digest, KEY_BYTES, LIMB_BYTES, USER_BYTE},
    tree::chain::absorb,
    F,
};
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

/// One merge row.
///
/// # Errors
/// The first rule that the row breaks.
pub fn merge_row(r: &mut Registers, row: &MergeRow) -> Result<(), Violation> {
    let limbs = row.key.map(|limb| limb.into_bigint().to_bytes_be());
    let in_range = limbs.iter().all(|b| b[..32 - LIMB_BYTES].iter().all(|x| *x == 0));
    require(in_range, Rule::M1, "a limb is not below 2^248")?;
    if row.class == RowClass::Pad {
        return Ok(());
    }
    strictly_greater(r, row)?;
    require(r.due == 0, Rule::M7, "a row while CLOSE_NEW is due")?;
    let kappa = key_digest(row.key);
    let item = item(kappa, row.stamp, row.value);
    if let Some(class) = row.class.accumulated() {
        let point = phi(class, item, Lane::Merge);
        let met =
            Violation { rule: Rule::Accumulator, what: "the sum meets a point of the same x" };
        r.acc = accumulate(r.acc, class, item, point).ok_or(met)?;
    }
    allowed_key(r, row, &limbs.concat())?;

    let has_old = (r.inside && r.has_old) || row.class.is_old();
    if row.class.is_old() {
        r.old_chains[0] = absorb(r.old_chains[0], item);
        r.known = true;
    }
    if row.last {
        r.new_chains[0] = absorb(r.new_chains[0], item);
        if has_old {
            r.wait_right = false;
        } else {
            require(r.known, Rule::M5, "an insert behind an unknown leaf")?;
            r.wait_right = true;
            r.due = height(kappa) as u8;
            r.next_close = 0;
        }
    }
    r.key = row.key;
    r.stamp = row.stamp;
    r.inside = !row.last;
    r.has_old = has_old && !row.last;
    r.old_read = row.class == RowClass::OldRead;
    r.cur = 0;
    Ok(())
}

/// M1: (key, stamp) is strictly greater than the row before, and the key moves on exactly when the
/// row before was the last of its key.
fn strictly_greater(r: &Registers, row: &MergeRow) -> Result<(), Violation> {
    if r.inside {
        require(row.key == r.key, Rule::M1, "the key moves on before its last row")?;
        return require(less(r.stamp, row.stamp), Rule::M1, "stamps of a key do not grow");
    }
    let differ = r.key.iter().zip(&row.key).find(|(before, now)| before != now);
    let grows = differ.is_some_and(|(before, now)| less(*before, *now));
    require(grows, Rule::M1, "keys do not grow")
}

/// `a < b`, for the numbers that the gadget compares: their difference is in 1..=2^248.
fn less(a: F, b: F) -> bool {
    (b - a - F::ONE).into_bigint().num_bits() <= 8 * LIMB_BYTES as u32
}

/// M3: which class may stand on which key, and where.
fn allowed_key(r: &Registers, row: &MergeRow, limbs: &[u8]) -> Result<(), Violation> {
    // Each limb is encoded in 32 bytes, the first of them 0.
    let first_byte = limbs[32 - LIMB_BYTES];
    match row.class {
        RowClass::User => {
            require(first_byte == USER_BYTE, Rule::M3, "a user op on a key without 0x01")
        }
        RowClass::Write | RowClass::Grant => {
            let zero_limbs = row.key[0] == F::ZERO && row.key[1] == F::ZERO;
            let (high, low) = limbs[2 * 32..].split_at(32 - 8);
            let head_key = zero_limbs && high.iter().all(|b| *b == 0) && low[..4] == [0, 0, 0, 1];
            require(head_key, Rule::M3, "a head or a grant on another key")?;
            if row.class == RowClass::Write {
                require(r.inside && r.old_read, Rule::M3, "WRITE not directly after its read")
            } else {
                require(!r.inside && row.last, Rule::M3, "GRANT beside other rows of its key")
            }
        }
        RowClass::Pad | RowClass::Old | RowClass::OldRead => Ok(()),
    }
}

const _: () = assert!(KEY_BYTES == 3 * LIMB_BYTES);
