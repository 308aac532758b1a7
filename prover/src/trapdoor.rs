//! The secrets of a setup, forgotten as soon as the keys exist.

use ark_ff::{Field, UniformRand};
use ark_poly::EvaluationDomain;
use rand::{CryptoRng, RngCore};
use rootfold_verifier::F;
use zeroize::Zeroize;

/// Secrets from which keys are made. Whoever knows them can prove anything, so they are
/// overwritten when dropped.
pub(crate) struct Trapdoor {
    /// The evaluation point.
    pub tau: F,
    /// Groth16's `alpha`.
    pub alpha: F,
    /// Groth16's `beta`.
    pub beta: F,
    /// Groth16's `gamma`.
    pub gamma: F,
    /// Groth16's `delta`.
    pub delta: F,
    /// Knowledge factor of witness commitments.
    pub sigma_w: F,
    /// Knowledge factor of error commitments.
    pub sigma_e: F,
}

impl Trapdoor {
    /// Draws a trapdoor whose evaluation point lies outside `domain`.
    pub fn draw<D: EvaluationDomain<F>>(domain: &D, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self {
            tau: domain.sample_element_outside_domain(rng),
            alpha: nonzero(rng),
            beta: nonzero(rng),
            gamma: nonzero(rng),
            delta: nonzero(rng),
            sigma_w: nonzero(rng),
            sigma_e: nonzero(rng),
        }
    }
}

impl Drop for Trapdoor {
    fn drop(&mut self) {
        for secret in [
            &mut self.tau,
            &mut self.alpha,
            &mut self.beta,
            &mut self.gamma,
            &mut self.delta,
            &mut self.sigma_w,
            &mut self.sigma_e,
        ] {
            secret.zeroize();
        }
    }
}

fn nonzero(rng: &mut impl RngCore) -> F {
    loop {
        let element = F::rand(rng);
        if element.inverse().is_some() {
            return element;
        }
    }
}
