//! The merge lane: rules M1 to M7, the twin of `core::step::merge_lane`.

use ark_ff::Field;
use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, GR1CSVar};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use rootfold_core::{
    accumulator::{Class, Lane, HEIGHTS},
    height::H,
    step::{MergeRow, RowClass},
    tree::chain::iv,
    F,
};

use super::registers::{not, replace, RegistersVar, ZipperVar};
use crate::{
    accumulator::{accumulate, number, Addend},
    bits::{enforce_equal, one_hot, range_bits, selectors},
    item::item,
    key::{key_digest, LIMB_BITS},
    rule, var, zero_if, Bit, Result, Var,
};

/// The selectors of a row's class: exactly one is 1.
struct Classes(Vec<Bit>);

impl Classes {
    fn new_witness(cs: &ConstraintSystemRef<F>, class: RowClass) -> Result<Classes> {
        Ok(Classes(selectors(cs, RowClass::ALL.len(), class as usize)?))
    }

    fn bit(&self, class: RowClass) -> &Bit {
        &self.0[class as usize]
    }

    fn is(&self, class: RowClass) -> Var {
        var(self.bit(class))
    }
}

/// The item that the first tree row after a merge row absorbs, and into which trees.
pub struct Leaf {
    /// Whether there is an item: 0 for PAD.
    pub active: Var,
    /// The row's item.
    pub item: Var,
    /// Whether the item is in the old tree.
    pub old: Var,
    /// Whether the item is in the new tree.
    pub new: Var,
}

/// One merge row. The next tree row absorbs its leaf.
pub fn merge_row(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    row: &MergeRow,
) -> Result<Leaf> {
    let witness = |x: F| Var::new_witness(cs.clone(), || Ok(x));
    let classes = Classes::new_witness(cs, row.class)?;
    let active = not(&classes.is(RowClass::Pad));
    let last_bit = Bit::new_witness(cs.clone(), || Ok(row.last))?;
    let key = [witness(row.key[0])?, witness(row.key[1])?, witness(row.key[2])?];
    let stamp = witness(row.stamp)?;

    let height = {
        rule!(cs, M7);
        let height = witness(F::from(row.height))?;
        range_bits(cs, &height, HEIGHTS.ilog2() as usize)?;
        height
    };
    let skips = {
        rule!(cs, Skip);
        let skips = Bit::new_witness(cs.clone(), || Ok(row.skips))?;
        zero_if(&var(&skips), &classes.is(RowClass::Pad))?;
        skips
    };
    strictly_greater(cs, r, &active, &key, &stamp)?;
    {
        rule!(cs, M7);
        zero_if(&active, &r.due)?;
    }
    let kappa = key_digest(&key)?;
    let item = item(&kappa, &stamp, &witness(row.value)?)?;
    {
        rule!(cs, M2);
        accumulate_row(cs, r, &classes, &height, &item)?;
    }
    let last = &active * &var(&last_bit);
    allowed_place(cs, r, &classes, &last)?;
    descend(cs, r, &classes.is(RowClass::Pad), &skips, row)?;

    let is_old_bit = classes.bit(RowClass::Old) | classes.bit(RowClass::OldRead);
    let is_old = var(&is_old_bit);
    let has_old_bit = (&r.inside & &r.has_old) | &is_old_bit;
    let has_old = var(&has_old_bit);
    let insert = &last * not(&has_old);
    {
        rule!(cs, M5);
        r.known = &r.known | &is_old_bit;
        zero_if(&insert, &not(&var(&r.known)))?;
    }
    {
        rule!(cs, M6);
        // 1 after an insert, 0 after the last row of any other key, else unchanged.
        let kept = &last * var(&r.wait_right);
        let waits = var(&r.wait_right) - kept + &insert;
        r.wait_right = as_bit(cs, &waits)?;
    }
    {
        rule!(cs, M7);
        // `due` is 0 before every active row, so an insert sets it.
        r.due = replace(&insert, &r.due, &height)?;
        r.next_close = replace(&insert, &r.next_close, &Var::zero())?;
    }
    let row_inside = &active - &last;
    let pad = classes.is(RowClass::Pad);
    r.inside = as_bit(cs, &(&row_inside + &pad * var(&r.inside)))?;
    // No rule reads `has_old` outside a key.
    let kept = &pad * var(&r.has_old);
    r.has_old = as_bit(cs, &(&row_inside * &has_old + kept))?;
    let kept = &pad * var(&r.old_read);
    r.old_read = as_bit(cs, &(classes.is(RowClass::OldRead) + kept))?;
    for (register, limb) in r.key.iter_mut().zip(&key) {
        *register = replace(&active, register, limb)?;
    }
    r.stamp = replace(&active, &r.stamp, &stamp)?;
    Ok(Leaf { active, item, old: is_old, new: last })
}

/// SKIP: the row is a leaf of a node of level 0. Opens a node on every level from 0 up to below the
/// lowest open one: empty, or with the chain of the unchanged first items that the row skips.
fn descend(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    pad: &Var,
    skips: &Bit,
    row: &MergeRow,
) -> Result<()> {
    rule!(cs, Skip);
    let kept = pad * &r.cur;
    // The level of the lowest open node before this row.
    let from = one_hot(cs, 0..=H, &(&r.cur - &kept), &Var::one())?;
    r.cur = kept;
    r.known = &r.known & &!skips;
    let skips = var(skips);
    let beginnings = (0..H)
        .map(|level| {
            let beginning = Var::new_witness(cs.clone(), || Ok(row.beginnings[level]))?;
            replace(&skips, &Var::constant(iv(level)), &beginning)
        })
        .collect::<Result<Vec<Var>>>()?;
    open_below(&mut r.old, &from, &beginnings)?;
    open_below(&mut r.new, &from, &beginnings)
}

/// Stores the chain of the open node at the level `from`, one-hot, and opens a node on every level
/// below, with the chain in `beginnings`.
fn open_below(zipper: &mut ZipperVar, from: &[Var], beginnings: &[Var]) -> Result<()> {
    let mut below = Var::zero();
    for level in (1..=H).rev() {
        let chain = &mut zipper.above[level - 1];
        *chain = replace(&from[level], chain, &zipper.open)?;
        // A node of level H, the root, is never opened from above.
        if let Some(beginning) = beginnings.get(level) {
            *chain = replace(&below, chain, beginning)?;
        }
        below += &from[level];
    }
    zipper.open = replace(&below, &zipper.open, &beginnings[0])?;
    Ok(())
}

/// M1: (key, stamp) is strictly greater than that of the previous row, and the key changes exactly
/// after the last row of a key.
///
/// One of four selectors marks the first of the four numbers that differs. The numbers before it
/// are equal, and its difference is in 1..=2^248. Limbs are below 2^248: those of ops by L9, and
/// those of the old tree since they were ops of an earlier epoch or are in the genesis tree.
fn strictly_greater(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    active: &Var,
    key: &[Var; 3],
    stamp: &Var,
) -> Result<()> {
    rule!(cs, M1);
    let now = [&key[0], &key[1], &key[2], stamp];
    let before = [&r.key[0], &r.key[1], &r.key[2], &r.stamp];
    let differences: Vec<Var> = now.iter().zip(before).map(|(a, b)| *a - b).collect();
    let first = first_difference(active, &r.inside, &differences);
    let bits = (0..3)
        .map(|i| {
            Bit::new_witness(cs.clone(), || {
                first.map(|f| f == Some(i)).ok_or(SynthesisError::AssignmentMissing)
            })
        })
        .collect::<Result<Vec<Bit>>>()?;
    let mut selectors: Vec<Var> = bits.iter().map(var).collect();
    // The stamp is compared inside a key only. An active row has one selector.
    selectors.push(active * var(&r.inside));
    let sum = selectors.iter().fold(Var::zero(), |a, b| a + b);
    enforce_equal(cs, &sum, active)?;
    let mut difference = Var::zero();
    let mut later = sum;
    for (selector, d) in selectors.iter().zip(&differences) {
        later -= selector;
        zero_if(&later, d)?;
        difference += selector * d;
    }
    range_bits(cs, &(difference - active), LIMB_BITS)?;
    Ok(())
}

/// The index of the first limb that differs, `Some(None)` unless the row starts a new key. `None`
/// if the circuit has no values.
fn first_difference(active: &Var, inside: &Bit, differences: &[Var]) -> Option<Option<usize>> {
    let active = active.value().ok()? == F::ONE;
    if !active || inside.value().ok()? {
        return Some(None);
    }
    let values = differences[..3].iter().map(|d| d.value().ok()).collect::<Option<Vec<F>>>()?;
    Some(values.iter().position(|d| *d != F::from(0u64)).or(Some(2)))
}

/// M2: OP rows and OLD_READ rows subtract their point from the accumulator.
fn accumulate_row(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    classes: &Classes,
    height: &Var,
    item: &Var,
) -> Result<()> {
    let class = |row, class: Class| classes.is(row) * F::from(class as u64);
    let class = class(RowClass::Write, Class::Write)
        + class(RowClass::User, Class::User)
        + class(RowClass::Grant, Class::Grant);
    let number = number(&class, height);
    let active = !(classes.bit(RowClass::Pad) | classes.bit(RowClass::Old));
    let addend = Addend { active: &active, number: &number, item, lane: Lane::Merge };
    r.acc = accumulate(cs, &r.acc, &addend)?;
    Ok(())
}

/// M3: the places where a class may occur. L9 restricts the keys, since the item contains the key.
fn allowed_place(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    classes: &Classes,
    last: &Var,
) -> Result<()> {
    rule!(cs, M3);
    let inside = var(&r.inside);
    zero_if(&classes.is(RowClass::Write), &(not(&inside) + not(&var(&r.old_read))))?;
    zero_if(&classes.is(RowClass::Grant), &(inside + not(last)))
}

/// A new bit equal to `x`, which is 0 or 1 by construction.
fn as_bit(cs: &ConstraintSystemRef<F>, x: &Var) -> Result<Bit> {
    let bit = Bit::new_witness(cs.clone(), || Ok(x.value()? == F::ONE))?;
    enforce_equal(cs, &var(&bit), x)?;
    Ok(bit)
}
