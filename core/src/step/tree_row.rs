//! Tree rows: a zipper over both trees.

use super::{require, Registers, Rule, TreeOp, TreeRow, Violation};
use crate::{
    height::H,
    tree::chain::{absorb, iv},
    F,
};

/// Processes a tree row.
///
/// # Errors
/// The first rule that the row breaks.
pub fn tree_row(r: &mut Registers, row: &TreeRow) -> Result<(), Violation> {
    match row.op {
        TreeOp::Pad => Ok(()),
        TreeOp::Opaque => {
            at_rest(r)?;
            opaque(r, row.digest);
            Ok(())
        }
        TreeOp::CloseBoth => {
            at_rest(r)?;
            close_both(r)
        }
        TreeOp::CloseNew => close_new(r),
    }
}

/// The conditions of a row that changes both trees.
fn at_rest(r: &Registers) -> Result<(), Violation> {
    require(!r.wait_right, Rule::M6, "an insert waits for its right neighbour")?;
    require(!r.inside, Rule::M4, "inside the rows of a key")?;
    require(r.due == 0, Rule::M7, "CLOSE_NEW is due")
}

fn opaque(r: &mut Registers, digest: F) {
    for zipper in [&mut r.old, &mut r.new] {
        zipper.open = absorb(zipper.open, digest);
    }
    r.known = false;
}

fn close_both(r: &mut Registers) -> Result<(), Violation> {
    let level = usize::from(r.cur);
    require(level < H, Rule::CloseBoth, "nothing is above the root")?;
    for zipper in [&mut r.old, &mut r.new] {
        zipper.open = absorb(zipper.above[level], zipper.open);
    }
    r.cur += 1;
    Ok(())
}

/// Closes a node of the new tree: the node above absorbs `open`. If more closes follow, the result
/// goes to `open`, and the level above gets an empty node. Otherwise the result goes to the level
/// above, and level 0 gets an empty node.
fn close_new(r: &mut Registers) -> Result<(), Violation> {
    require(r.due > 0, Rule::CloseNew, "no close is due")?;
    let level = usize::from(r.next_close);
    require(level < H, Rule::CloseNew, "nothing is above the root")?;
    let closed = absorb(r.new.above[level], r.new.open);
    r.due -= 1;
    r.next_close += 1;
    (r.new.above[level], r.new.open) =
        if r.due > 0 { (iv(level + 1), closed) } else { (closed, iv(0)) };
    Ok(())
}
