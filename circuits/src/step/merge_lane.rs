//! The merge lane: rules M1 to M7, the twin of `core::step::merge_lane`.

use ark_ff::Field;
use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, GR1CSVar};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use rootfold_core::{
    accumulator::{Class, Lane},
    key::{LIMB_BYTES, USER_BYTE},
    step::{MergeRow, RowClass},
    F,
};

use super::{
    registers::{not, replace, RegistersVar},
    tree_row::absorb,
};
use crate::{
    accumulator::{accumulate, Addend},
    bits::{enforce_equal, pack, range_bits},
    height::height,
    item::item,
    key::{head_key_base, key_digest},
    rule, var, zero_if, Bit, Result, Var,
};

/// Bits of a limb.
const LIMB_BITS: usize = 8 * LIMB_BYTES;

/// The selectors of a row's class: exactly one is 1.
struct Classes([Bit; 6]);

impl Classes {
    fn new_witness(cs: &ConstraintSystemRef<F>, class: RowClass) -> Result<Classes> {
        let bit = |c: RowClass| Bit::new_witness(cs.clone(), || Ok(c == class));
        let [a, b, c, d, e, f] = RowClass::ALL.map(bit);
        let classes = Classes([a?, b?, c?, d?, e?, f?]);
        let sum = RowClass::ALL.iter().map(|c| classes.is(*c)).fold(Var::zero(), |a, b| a + b);
        enforce_equal(cs, &sum, &Var::one())?;
        Ok(classes)
    }

    fn bit(&self, class: RowClass) -> &Bit {
        &self.0[class as usize]
    }

    fn is(&self, class: RowClass) -> Var {
        var(self.bit(class))
    }
}

/// One merge row.
pub fn merge_row(cs: &ConstraintSystemRef<F>, r: &mut RegistersVar, row: &MergeRow) -> Result<()> {
    let witness = |x: F| Var::new_witness(cs.clone(), || Ok(x));
    let classes = Classes::new_witness(cs, row.class)?;
    let active = not(&classes.is(RowClass::Pad));
    let last_bit = Bit::new_witness(cs.clone(), || Ok(row.last))?;
    let key = [witness(row.key[0])?, witness(row.key[1])?, witness(row.key[2])?];
    let stamp = witness(row.stamp)?;

    let limbs = strictly_greater(cs, r, &active, &key, &stamp)?;
    {
        rule!(cs, M7);
        zero_if(&active, &r.due)?;
    }
    let kappa = key_digest(&key)?;
    let item = item(&kappa, &stamp, &witness(row.value)?)?;
    {
        rule!(cs, M2);
        accumulate_row(cs, r, &classes, &item)?;
    }
    let last = &active * &var(&last_bit);
    allowed_key(cs, r, &classes, &last, &key, &limbs)?;

    let is_old_bit = classes.bit(RowClass::Old) | classes.bit(RowClass::OldRead);
    let is_old = var(&is_old_bit);
    let has_old_bit = (&r.inside & &r.has_old) | &is_old_bit;
    let has_old = var(&has_old_bit);
    {
        rule!(cs, M4);
        let old = absorb(&r.old_chains[0], &item)?;
        let new = absorb(&r.new_chains[0], &item)?;
        r.old_chains[0] = replace(&is_old, &r.old_chains[0], &old);
        r.new_chains[0] = replace(&last, &r.new_chains[0], &new);
    }
    let insert = &last * not(&has_old);
    {
        rule!(cs, M5);
        r.known = &r.known | &is_old_bit;
        zero_if(&insert, &not(&var(&r.known)))?;
    }
    {
        rule!(cs, M6);
        // 1 after an insert, 0 after the last row of any other key, else as it was.
        let kept = &last * var(&r.wait_right);
        let waits = var(&r.wait_right) - kept + &insert;
        r.wait_right = as_bit(cs, &waits)?;
    }
    {
        rule!(cs, M7);
        let height = height(cs, &kappa)?;
        // Nothing is due before any row, so what an insert makes due is all there is.
        r.due = replace(&insert, &r.due, &height);
        r.next_close = replace(&insert, &r.next_close, &Var::zero());
    }
    let row_inside = &active - &last;
    let pad = classes.is(RowClass::Pad);
    r.inside = as_bit(cs, &(&row_inside + &pad * var(&r.inside)))?;
    // Outside of a key no rule reads has_old.
    let kept = &pad * var(&r.has_old);
    r.has_old = as_bit(cs, &(&row_inside * &has_old + kept))?;
    let kept = &pad * var(&r.old_read);
    r.old_read = as_bit(cs, &(classes.is(RowClass::OldRead) + kept))?;
    for (register, limb) in r.key.iter_mut().zip(&key) {
        *register = replace(&active, register, limb);
    }
    r.stamp = replace(&active, &r.stamp, &stamp);
    r.cur = &pad * &r.cur;
    Ok(())
}

/// M1: limbs are below 2^248, and (key, stamp) is strictly greater than the row before; the key
/// moves on exactly when the row before was the last of its key. Returns the limbs' bits.
///
/// One of four selectors marks the first number that differs. What is before it is equal, and its
/// difference is in 1..=2^248.
fn strictly_greater(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    active: &Var,
    key: &[Var; 3],
    stamp: &Var,
) -> Result<[Vec<Bit>; 3]> {
    rule!(cs, M1);
    let limbs = [
        range_bits(cs, &key[0], LIMB_BITS)?,
        range_bits(cs, &key[1], LIMB_BITS)?,
        range_bits(cs, &key[2], LIMB_BITS)?,
    ];
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
    // The stamp is compared exactly inside a key, and one selector is set in an active row.
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
    Ok(limbs)
}

/// Which of the three limbs differs first, for an honest row that starts a new key.
fn first_difference(active: &Var, inside: &Bit, differences: &[Var]) -> Option<Option<usize>> {
    let active = active.value().ok()? == F::ONE;
    if !active || inside.value().ok()? {
        return Some(None);
    }
    let values = differences[..3].iter().map(|d| d.value().ok()).collect::<Option<Vec<F>>>()?;
    Some(values.iter().position(|d| *d != F::from(0u64)).or(Some(2)))
}

/// M2: an OP row and an OLD row marked read subtract their point.
fn accumulate_row(
    cs: &ConstraintSystemRef<F>,
    r: &mut RegistersVar,
    classes: &Classes,
    item: &Var,
) -> Result<()> {
    let class = |row, class: Class| classes.is(row) * F::from(class as u64);
    let number = class(RowClass::Write, Class::Write)
        + class(RowClass::User, Class::User)
        + class(RowClass::Grant, Class::Grant);
    let active = !(classes.bit(RowClass::Pad) | classes.bit(RowClass::Old));
    let addend = Addend { active: &active, class: &number, item, lane: Lane::Merge };
    r.acc = accumulate(cs, &r.acc, &addend)?;
    Ok(())
}

/// M3: which class may stand on which key, and where.
fn allowed_key(
    cs: &ConstraintSystemRef<F>,
    r: &RegistersVar,
    classes: &Classes,
    last: &Var,
    key: &[Var; 3],
    limbs: &[Vec<Bit>; 3],
) -> Result<()> {
    rule!(cs, M3);
    let user = classes.is(RowClass::User);
    let first_byte = pack(cs, &limbs[0][LIMB_BITS - 8..])?;
    zero_if(&user, &(first_byte - F::from(USER_BYTE)))?;

    let (write, grant) = (classes.is(RowClass::Write), classes.is(RowClass::Grant));
    let system = &write + &grant;
    let writer = pack(cs, &limbs[2][..32])?;
    zero_if(&system, &key[0])?;
    zero_if(&system, &key[1])?;
    zero_if(&system, &(&key[2] - head_key_base() - writer))?;
    let inside = var(&r.inside);
    zero_if(&write, &(not(&inside) + not(&var(&r.old_read))))?;
    zero_if(&grant, &(inside + not(last)))
}

/// A number that is 0 or 1 by construction, as a bit of its own.
fn as_bit(cs: &ConstraintSystemRef<F>, x: &Var) -> Result<Bit> {
    let bit = Bit::new_witness(cs.clone(), || Ok(x.value()? == F::ONE))?;
    enforce_equal(cs, &var(&bit), x)?;
    Ok(bit)
}
