//! Sums over a few bases that do not change. With their multiples precomputed, all windows share one
//! set of buckets.

use std::{fmt, sync::Arc};

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::AdditiveGroup;
use ark_std::cfg_chunks;
#[cfg(feature = "parallel")]
use rayon::prelude::*;

use super::{
    cost::{shared_window_bits, threads, windows},
    curve::Curve,
    digits::{Digits, Signed},
    points::{Multiples, Points},
};

/// Bases and their multiples by `2^bits`, `2^(2 bits)` and so on: 64 bytes per base and window.
/// Clones share them.
pub struct PreparedBases<C: Curve> {
    bits: usize,
    bases: Arc<[Affine<C>]>,
    /// All bases, then all of them times `2^bits`, and so on. `None` in a browser, which checks a proof or two: there
    /// the multiples cost more time than they save.
    multiples: Option<Arc<dyn Points<C>>>,
}

// Derived implementations would require the curve's configuration to be Clone and Debug.
impl<C: Curve> Clone for PreparedBases<C> {
    fn clone(&self) -> Self {
        Self { bits: self.bits, bases: self.bases.clone(), multiples: self.multiples.clone() }
    }
}

impl<C: Curve> fmt::Debug for PreparedBases<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedBases")
            .field("bits", &self.bits)
            .field("len", &self.bases.len())
            .finish_non_exhaustive()
    }
}

impl<C: Curve> PreparedBases<C> {
    /// Computes the multiples, except for WebAssembly: about 250 doublings per base.
    pub fn new(bases: &[Affine<C>]) -> Self {
        let bits = shared_window_bits::<C::ScalarField>(bases.len());
        let multiples = (!cfg!(target_arch = "wasm32")).then(|| {
            let count = windows::<C::ScalarField>(bits);
            C::prepare(bases, Multiples { bits, count }).into()
        });
        Self { bits, bases: bases.into(), multiples }
    }

    /// The bases.
    pub fn bases(&self) -> &[Affine<C>] {
        &self.bases
    }

    /// `sum of scalars[i] * bases[i]`. Missing scalars count as zero.
    ///
    /// # Panics
    /// If there are more scalars than bases.
    pub fn msm(&self, scalars: &[C::ScalarField]) -> Projective<C> {
        assert!(scalars.len() <= self.bases.len(), "more scalars than bases");
        let Some(multiples) = &self.multiples else { return super::msm(&self.bases, scalars) };
        let mut signed: Vec<Signed<_>> = scalars.iter().map(|s| Signed::of(*s)).collect();
        signed.resize(self.bases.len(), Signed::of(C::ScalarField::ZERO));
        let digits = Digits::new::<C::ScalarField>(&signed, self.bits);
        let digits: Vec<i32> =
            (0..digits.windows()).flat_map(|window| digits.of_window(window)).copied().collect();
        let part = digits.len().div_ceil(threads()).max(1);
        cfg_chunks!(digits, part)
            .enumerate()
            .map(|(i, digits)| {
                let start = i * part;
                multiples.window_sum(start..start + digits.len(), digits)
            })
            .sum()
    }
}
