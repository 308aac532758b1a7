//! Tree rows: a zipper over both trees, the twin of `core::step::tree_row`.

use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, GR1CSVar};
use ark_relations::gr1cs::ConstraintSystemRef;
use rootfold_core::{
    hash::Tag,
    height::H,
    step::{TreeOp, TreeRow},
    tree::chain::iv,
    F,
};

use super::{
    merge_lane::Leaf,
    registers::{not, replace, RegistersVar, ZipperVar},
};
use crate::{
    bits::{enforce_equal, one_hot, range_bits, selectors},
    hash::hash,
    rule, var, zero_if, Bit, Result, Var,
};

/// `H_2^NODE(chain, item)`.
pub fn absorb(chain: &Var, item: &Var) -> Result<Var> {
    hash(Tag::Node, &[chain.clone(), item.clone()])
}

/// Bits of `due`, a number of levels.
const LEVEL_BITS: usize = 4;

/// The selectors of a row's operation: exactly one is 1.
struct Ops(Vec<Var>);

impl Ops {
    fn new_witness(cs: &ConstraintSystemRef<F>, op: TreeOp) -> Result<Ops> {
        Ok(Ops(selectors(cs, TreeOp::ALL.len(), op as usize)?.iter().map(var).collect()))
    }

    fn is(&self, op: TreeOp) -> &Var {
        &self.0[op as usize]
    }
}

/// One tree row. The first tree row after a merge row shares its hashes with that row's leaf, and
/// must be PAD if there is a leaf.
pub fn tree_row(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    row: &TreeRow,
    leaf: Option<&Leaf>,
) -> Result<()> {
    let ops = Ops::new_witness(cs, row.op)?;
    let digest = Var::new_witness(cs.clone(), || Ok(row.digest))?;
    let (opaque, close_both) = (ops.is(TreeOp::Opaque), ops.is(TreeOp::CloseBoth));
    let close_new = ops.is(TreeOp::CloseNew);
    if let Some(leaf) = leaf {
        rule!(cs, M4);
        zero_if(&leaf.active, &not(ops.is(TreeOp::Pad)))?;
    }
    at_rest(cs, r, &(opaque + close_both))?;

    let above = one_hot_above(cs, r, close_both, close_new)?;
    let more = closes_more(cs, r, close_new)?;
    {
        rule!(cs, Opaque);
        r.known = &r.known & &negated(cs, opaque)?;
    }
    r.cur += close_both;
    r.next_close += close_new;

    let item = match leaf {
        Some(leaf) => replace(&leaf.active, &digest, &leaf.item)?,
        None => digest,
    };
    let absorbs_old = leaf.map_or(opaque.clone(), |leaf| opaque + &leaf.old);
    let absorbs_new = leaf.map_or(opaque.clone(), |leaf| opaque + &leaf.new);
    let closing = close_both + close_new;
    let (_, old) = zip(&r.old, &above, close_both, &item)?;
    let (node_above, closed) = zip(&r.new, &above, &closing, &item)?;
    let open = {
        rule!(cs, M4);
        r.old.open = replace(&(absorbs_old + close_both), &r.old.open, &old)?;
        replace(&(absorbs_new + &closing), &r.new.open, &closed)?
    };
    rule!(cs, CloseNew);
    // The last close absorbs the closed node into the node above and opens an empty node of level
    // 0. Every other close opens an empty node above.
    let last = close_new - &more;
    r.new.open = open + &last * (Var::constant(iv(0)) - &closed);
    let fresh = above.iter().zip(1..).map(|(bit, level)| bit * iv(level));
    let fresh = fresh.fold(Var::zero(), |a, b| a + b);
    let left = &node_above + close_new * (replace(&more, &closed, &fresh)? - &node_above);
    for (chain, bit) in r.new.above.iter_mut().zip(&above) {
        *chain = replace(bit, chain, &left)?;
    }
    Ok(())
}

/// Rows that change both trees are allowed only if no key and no insert is unfinished.
fn at_rest(cs: &ConstraintSystemRef<F>, r: &RegistersVar, both: &Var) -> Result<()> {
    {
        rule!(cs, M6);
        zero_if(both, &var(&r.wait_right))?;
    }
    {
        rule!(cs, M4);
        zero_if(both, &var(&r.inside))?;
    }
    rule!(cs, M7);
    zero_if(both, &r.due)
}

/// One bit for each level from 1 to H, of which that above the closed level is set. None is set if
/// the row closes nothing. A close into a level above H is refused.
fn one_hot_above(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    close_both: &Var,
    close_new: &Var,
) -> Result<Vec<Var>> {
    rule!(cs, CloseBoth);
    let level = close_both * (&r.cur + F::from(1u64)) + close_new * (&r.next_close + F::from(1u64));
    // A level above H has no bit, so the sum of the bits cannot be 1.
    one_hot(cs, 1..=H, &level, &(close_both + close_new))
}

/// CLOSE_NEW: decrements `due`. Returns whether more closes are due.
fn closes_more(cs: &ConstraintSystemRef<F>, r: &mut RegistersVar, close_new: &Var) -> Result<Var> {
    rule!(cs, CloseNew);
    r.due -= close_new;
    let bits = range_bits(cs, &r.due, LEVEL_BITS)?;
    let none = bits.iter().map(|bit| not(&var(bit))).fold(Var::one(), |a, b| a * b);
    Ok(close_new * not(&none))
}

/// The hash of a row in one tree: if the row closes, of the chain of the node above and of the open
/// node; else of the chain of the open node and the item. Returns the chain of the node above and
/// the hash.
fn zip(zipper: &ZipperVar, above: &[Var], closes: &Var, item: &Var) -> Result<(Var, Var)> {
    let terms = above.iter().zip(&zipper.above).map(|(bit, chain)| bit * chain);
    let selected = terms.fold(Var::zero(), |a, b| a + b);
    let target = replace(closes, &zipper.open, &selected)?;
    let absorbed = replace(closes, item, &zipper.open)?;
    Ok((selected, absorb(&target, &absorbed)?))
}

/// A new bit equal to `1 - x`, where `x` is 0 or 1 by construction.
fn negated(cs: &ConstraintSystemRef<F>, x: &Var) -> Result<Bit> {
    let bit = Bit::new_witness(cs.clone(), || Ok(x.value()? == F::from(0u64)))?;
    enforce_equal(cs, &var(&bit), &not(x))?;
    Ok(bit)
}
