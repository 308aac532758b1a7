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

use super::registers::{not, replace, RegistersVar};
use crate::{
    bits::{enforce_equal, range_bits},
    hash::hash,
    rule, var, zero_if, Bit, Result, Var,
};

/// `H_2^NODE(chain, item)`.
pub fn absorb(chain: &Var, item: &Var) -> Result<Var> {
    hash(Tag::Node, &[chain.clone(), item.clone()])
}

/// Bits of a level and of a number of levels.
const LEVEL_BITS: usize = 4;

/// What the row does and where.
struct Selectors {
    ops: [Var; 5],
    /// One-hot: the level.
    levels: Vec<Var>,
    level: Var,
}

impl Selectors {
    fn new_witness(cs: &ConstraintSystemRef<F>, row: &TreeRow) -> Result<Selectors> {
        let bit = |b: bool| Ok(var(&Bit::new_witness(cs.clone(), || Ok(b))?));
        let [a, b, c, d, e] = TreeOp::ALL.map(|op| bit(op == row.op));
        let ops = [a?, b?, c?, d?, e?];
        let levels =
            (0..=H).map(|l| bit(l == usize::from(row.level))).collect::<Result<Vec<Var>>>()?;
        for one_hot in [&ops[..], &levels] {
            let sum = one_hot.iter().fold(Var::zero(), |a, b| a + b);
            enforce_equal(cs, &sum, &Var::one())?;
        }
        let weighted = levels.iter().enumerate().map(|(l, e)| e * F::from(l as u64));
        let level = weighted.fold(Var::zero(), |a, b| a + b);
        Ok(Selectors { ops, levels, level })
    }

    fn is(&self, op: TreeOp) -> &Var {
        &self.ops[op as usize]
    }
}

/// One tree row.
pub fn tree_row(cs: &ConstraintSystemRef<F>, r: &mut RegistersVar, row: &TreeRow) -> Result<()> {
    let s = Selectors::new_witness(cs, row)?;
    let digest = Var::new_witness(cs.clone(), || Ok(row.digest))?;
    let (preset, opaque) = (s.is(TreeOp::Preset), s.is(TreeOp::Opaque));
    let (close_both, close_new) = (s.is(TreeOp::CloseBoth), s.is(TreeOp::CloseNew));
    let given = preset + opaque;
    let both_trees = &given + close_both;
    {
        rule!(cs, M6);
        zero_if(&both_trees, &var(&r.wait_right))?;
    }
    {
        rule!(cs, M4);
        zero_if(&both_trees, &var(&r.inside))?;
    }
    {
        rule!(cs, M7);
        zero_if(&both_trees, &r.due)?;
    }
    let depth = &r.cur - &s.level;
    {
        rule!(cs, Preset);
        range_bits(cs, &(preset * (&depth - F::from(1u64))), LEVEL_BITS)?;
    }
    {
        rule!(cs, Opaque);
        range_bits(cs, &(opaque * &depth), LEVEL_BITS)?;
    }
    let closing = close_both + close_new;
    {
        rule!(cs, CloseBoth);
        zero_if(close_both, &depth)?;
        // No node is closed into a level above H.
        zero_if(&closing, &s.levels[H])?;
    }
    {
        rule!(cs, CloseNew);
        zero_if(close_new, &(&s.level - &r.next_close))?;
        r.due -= close_new;
        range_bits(cs, &r.due, LEVEL_BITS)?;
        r.next_close += close_new;
    }
    {
        rule!(cs, Opaque);
        r.known = &r.known & &negated(cs, &given)?;
    }
    // PRESET and OPAQUE go down to their level, CLOSE_BOTH leaves the level above its own.
    r.cur = replace(&both_trees, &r.cur, &(&s.level + close_both));

    let old_acts = &given + close_both;
    let new_acts = &old_acts + close_new;
    zip_chains(&mut r.old_chains, &s, &digest, close_both, &old_acts)?;
    zip_chains(&mut r.new_chains, &s, &digest, &closing, &new_acts)
}

/// The row's effect on the chains of one tree, where `acts`.
///
/// PRESET: `c[l] = digest`. OPAQUE: `c[l] = absorb(c[l], digest)`. A close: `c[l + 1]` absorbs
/// `c[l]`, and `c[l]` is fresh.
fn zip_chains(
    chains: &mut [Var],
    s: &Selectors,
    digest: &Var,
    closes: &Var,
    acts: &Var,
) -> Result<()> {
    let at_level = select(&s.levels, chains);
    let above = select(&s.levels, &chains[1..]);
    let target = replace(closes, &at_level, &above);
    let absorbed = replace(closes, digest, &at_level);
    let absorbed = absorb(&target, &absorbed)?;
    let fresh = s.levels.iter().enumerate().map(|(l, e)| e * iv(l));
    let fresh = fresh.fold(Var::zero(), |a, b| a + b);
    // What the row's own level holds afterwards.
    let kept = replace(s.is(TreeOp::Preset), &absorbed, digest);
    let kept = replace(closes, &kept, &fresh);
    let kept = replace(acts, &at_level, &kept);
    let raised = closes * (&absorbed - &above);
    let moved = &kept - &at_level;
    for (l, chain) in chains.iter_mut().enumerate() {
        *chain += &s.levels[l] * &moved;
        if l > 0 {
            *chain += &s.levels[l - 1] * &raised;
        }
    }
    Ok(())
}

/// The element that the one-hot selectors point at; 0 if it is past the end.
fn select(one_hot: &[Var], elements: &[Var]) -> Var {
    one_hot.iter().zip(elements).map(|(e, x)| e * x).fold(Var::zero(), |a, b| a + b)
}

/// `not x`, for a number that is 0 or 1 by construction.
fn negated(cs: &ConstraintSystemRef<F>, x: &Var) -> Result<Bit> {
    let bit = Bit::new_witness(cs.clone(), || Ok(x.value()? == F::from(0u64)))?;
    enforce_equal(cs, &var(&bit), &not(x))?;
    Ok(bit)
}
