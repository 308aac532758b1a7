//! Tree rows: a zipper over both trees (design 5).

use super::{require, Registers, Rule, TreeOp, TreeRow, Violation};
use crate::{
    height::H,
    tree::chain::{absorb, iv},
};

/// One tree row.
///
/// # Errors
/// The first rule that the row breaks.
///
/// # Panics
/// If the level is above H.
pub fn tree_row(r: &mut Registers, row: &TreeRow) -> Result<(), Violation> {
    let level = usize::from(row.level);
    assert!(level <= H, "a tree row acts on a level up to H");
    let rule = match row.op {
        TreeOp::Pad => return Ok(()),
        TreeOp::Preset => Rule::Preset,
        TreeOp::Opaque => Rule::Opaque,
        TreeOp::CloseBoth => Rule::CloseBoth,
        TreeOp::CloseNew => Rule::CloseNew,
    };
    if row.op == TreeOp::CloseNew {
        require(r.due > 0 && row.level == r.next_close, rule, "not the node that is due")?;
        let closed = r.new_chains[level];
        r.new_chains[level] = iv(level);
        r.new_chains[level + 1] = absorb(r.new_chains[level + 1], closed);
        r.due -= 1;
        r.next_close += 1;
        return Ok(());
    }
    require(!r.wait_right, Rule::M6, "an insert waits for its right neighbour")?;
    require(!r.inside, Rule::M4, "inside the rows of a key")?;
    require(r.due == 0, Rule::M7, "CLOSE_NEW is due")?;
    match row.op {
        TreeOp::Preset => {
            require(row.level < r.cur, rule, "over an edited part")?;
            r.old_chains[level] = row.digest;
            r.new_chains[level] = row.digest;
            r.known = false;
            r.cur = row.level;
        }
        TreeOp::Opaque => {
            require(row.level <= r.cur, rule, "above an open node")?;
            r.old_chains[level] = absorb(r.old_chains[level], row.digest);
            r.new_chains[level] = absorb(r.new_chains[level], row.digest);
            r.known = false;
            r.cur = row.level;
        }
        _ => {
            require(row.level == r.cur && level < H, rule, "not the lowest open node")?;
            for chains in [&mut r.old_chains, &mut r.new_chains] {
                let closed = chains[level];
                chains[level] = iv(level);
                chains[level + 1] = absorb(chains[level + 1], closed);
            }
            r.cur += 1;
        }
    }
    Ok(())
}
