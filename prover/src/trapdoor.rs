//! The secrets of a setup, overwritten as soon as the keys exist.

use ark_ff::{Field, UniformRand};
use ark_poly::EvaluationDomain;
use rand::{CryptoRng, RngCore};
use rootfold_verifier::F;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The secrets from which keys are made. Whoever knows them can prove anything; the two inverses
/// alone suffice for a forgery. All are overwritten when the value is dropped.
///
/// Copies that arkworks makes on the stack and in its multi-scalar multiplications are not
/// overwritten.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Trapdoor {
    /// The evaluation point.
    pub tau: F,
    /// Groth16's `alpha`.
    pub alpha: F,
    /// Groth16's `beta`.
    pub beta: F,
    /// Groth16's `gamma`.
    pub gamma: F,
    /// `1 / gamma`.
    pub gamma_inverse: F,
    /// Groth16's `delta`.
    pub delta: F,
    /// `1 / delta`.
    pub delta_inverse: F,
    /// Knowledge factor of witness commitments.
    pub sigma_w: F,
    /// Knowledge factor of error commitments.
    pub sigma_e: F,
}

impl Trapdoor {
    /// Draws a trapdoor whose evaluation point lies outside `domain` and whose other elements are
    /// not zero.
    pub fn draw<D: EvaluationDomain<F>>(domain: &D, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let tau = domain.sample_element_outside_domain(rng);
        let (alpha, _) = invertible(rng);
        let (beta, _) = invertible(rng);
        let (gamma, gamma_inverse) = invertible(rng);
        let (delta, delta_inverse) = invertible(rng);
        let (sigma_w, _) = invertible(rng);
        let (sigma_e, _) = invertible(rng);
        Self { tau, alpha, beta, gamma, gamma_inverse, delta, delta_inverse, sigma_w, sigma_e }
    }
}

/// A random nonzero element and its inverse.
fn invertible(rng: &mut impl RngCore) -> (F, F) {
    loop {
        let element = F::rand(rng);
        if let Some(inverse) = element.inverse() {
            return (element, inverse);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, One};
    use ark_poly::GeneralEvaluationDomain;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn overwritten_on_drop<T: ZeroizeOnDrop>(_: &T) {}

    #[test]
    fn every_secret_is_overwritten() {
        let domain = GeneralEvaluationDomain::<F>::new(8).expect("a small domain");
        let mut trapdoor = Trapdoor::draw(&domain, &mut ChaCha20Rng::seed_from_u64(1));
        overwritten_on_drop(&trapdoor);
        assert_eq!(trapdoor.gamma * trapdoor.gamma_inverse, F::one());
        assert_eq!(trapdoor.delta * trapdoor.delta_inverse, F::one());
        trapdoor.zeroize();
        // Without `..`: a new secret does not compile until it is listed here.
        let Trapdoor {
            tau,
            alpha,
            beta,
            gamma,
            gamma_inverse,
            delta,
            delta_inverse,
            sigma_w,
            sigma_e,
        } = &trapdoor;
        for secret in
            [tau, alpha, beta, gamma, gamma_inverse, delta, delta_inverse, sigma_w, sigma_e]
        {
            assert_eq!(*secret, F::ZERO);
        }
    }
}
