//! The merge lane: rules M1 to M7. The second half of M7 is CLOSE_NEW in `tree_row`.

use super::{add, require, MergeRow, Registers, RowClass, Rule, Violation};
use crate::{
    accumulator::{Addend, Lane, HEIGHTS},
    item::item,
    key::{key_digest, LIMB_BYTES},
    tree::chain::{absorb, iv},
    F,
};
use ark_ff::{BigInteger, Field, PrimeField};

/// Processes a merge row.
///
/// # Errors
/// The first rule that the row breaks.
pub fn merge_row(r: &mut Registers, row: &MergeRow) -> Result<(), Violation> {
    require(u64::from(row.height) < HEIGHTS, Rule::M7, "a height of 16 or more")?;
    if row.class == RowClass::Pad {
        return require(!row.skips, Rule::Skip, "a PAD row skips something");
    }
    strictly_greater(r, row)?;
    require(r.due == 0, Rule::M7, "a row while CLOSE_NEW is due")?;
    let item = item(key_digest(row.key), row.stamp, row.value);
    if let Some(class) = row.class.accumulated() {
        add(r, &Addend { class, height: row.height, item }, Lane::Merge)?;
    }
    allowed_place(r, row)?;
    descend(r, row);

    let has_old = (r.inside && r.has_old) || row.class.is_old();
    if row.class.is_old() {
        r.old.open = absorb(r.old.open, item);
        r.known = true;
    }
    if row.last {
        r.new.open = absorb(r.new.open, item);
        if has_old {
            r.wait_right = false;
        } else {
            require(r.known, Rule::M5, "an insert behind an unknown leaf")?;
            r.wait_right = true;
            r.due = row.height;
            r.next_close = 0;
        }
    }
    r.key = row.key;
    r.stamp = row.stamp;
    r.inside = !row.last;
    r.has_old = has_old && !row.last;
    r.old_read = row.class == RowClass::OldRead;
    Ok(())
}

/// SKIP: opens nodes from the lowest open level down to level 0, to which the row's item belongs. The
/// nodes are empty, or begin with the unchanged items that the row skips.
fn descend(r: &mut Registers, row: &MergeRow) {
    let beginning = |level: usize| if row.skips { row.beginnings[level] } else { iv(level) };
    let cur = usize::from(r.cur);
    if cur > 0 {
        for zipper in [&mut r.old, &mut r.new] {
            zipper.above[cur - 1] = zipper.open;
            for level in 1..cur {
                zipper.above[level - 1] = beginning(level);
            }
            zipper.open = beginning(0);
        }
        r.cur = 0;
    }
    r.known &= !row.skips;
}

/// M1: (key, stamp) is strictly greater than in the previous row, and the key changes exactly when the
/// previous row was the last one of its key.
fn strictly_greater(r: &Registers, row: &MergeRow) -> Result<(), Violation> {
    if r.inside {
        require(row.key == r.key, Rule::M1, "the key moves on before its last row")?;
        return require(less(r.stamp, row.stamp), Rule::M1, "stamps of a key do not grow");
    }
    let differ = r.key.iter().zip(&row.key).find(|(before, now)| before != now);
    let grows = differ.is_some_and(|(before, now)| less(*before, *now));
    require(grows, Rule::M1, "keys do not grow")
}

/// `a < b`, for numbers below 2^248 as in the circuit: the difference is in `1..=2^248`.
fn less(a: F, b: F) -> bool {
    (b - a - F::ONE).into_bigint().num_bits() <= 8 * LIMB_BYTES as u32
}

/// M3: the order of classes. The log lane checks the keys (L9), and the item binds the key.
fn allowed_place(r: &Registers, row: &MergeRow) -> Result<(), Violation> {
    match row.class {
        RowClass::Write => {
            require(r.inside && r.old_read, Rule::M3, "WRITE not directly after its read")
        }
        RowClass::Grant => {
            require(!r.inside && row.last, Rule::M3, "GRANT beside other rows of its key")
        }
        RowClass::Pad | RowClass::Old | RowClass::OldRead | RowClass::User => Ok(()),
    }
}
