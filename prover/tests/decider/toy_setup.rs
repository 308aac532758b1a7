//! A small decider whose setup a test can weaken.

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, UniformRand};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use rootfold_prover::{
    bases::{Bases, Groth16Key},
    qap::columns_at,
};
use rootfold_verifier::{folding::commitment::TwoListKey, VerifyingKey, F};
use sonobe_primitives::arithmetizations::{ccs::CCS, r1cs::R1CS, Arith};

use crate::common::rng;

/// Number of constraints: a power of two, so that they can fill a domain.
pub const ROWS: usize = 8;

/// Weaknesses of a setup.
#[derive(Clone, Copy, Debug)]
pub struct Weaknesses {
    /// The constraints fill the domain.
    pub no_padding_row: bool,
    /// `gamma = 1`.
    pub gamma_is_one: bool,
    /// `[sigma_W]_1` is published.
    pub sigma_in_g1: bool,
}

/// The elements that a setup published.
pub struct ToySetup {
    /// The regular elements.
    pub bases: Bases,
    /// The verifying key.
    pub key: VerifyingKey,
    /// `[sigma_W]_1`, if the setup has that weakness.
    pub sigma_w_g1: Option<G1Affine>,
    /// The base of the public input over `delta` instead of `gamma`. One test publishes it.
    pub base_x_over_delta: G1Affine,
}

/// The chain `w_0 = 1`, `w_(i+1) = (i + 2) x w_i - error`, without `w_0`.
pub fn chain(x: F, error: F) -> Vec<F> {
    let step = |value: &mut F, row: usize| {
        *value = *value * x * F::from(row as u64 + 2) - error;
        Some(*value)
    };
    (0..ROWS).scan(F::ONE, step).collect()
}

/// The constraints over `(1, x, w_1 ..)`: without errors, the chain of `x` ends with `end`.
pub fn chain_r1cs(end: F) -> R1CS<F> {
    let last = ROWS - 1;
    let a = (0..ROWS).map(|row| vec![(F::ONE, if row == 0 { 0 } else { row + 1 })]).collect();
    let b = (0..ROWS).map(|row| vec![(F::from(row as u64 + 2), 1)]).collect();
    let c = (0..ROWS).map(|row| vec![if row == last { (end, 0) } else { (F::ONE, row + 2) }]);
    R1CS::new(ROWS, ROWS + 1, 1, [a, b, c.collect()]).unwrap()
}

/// The setup of `docs/design.md`, section 6, for `r1cs`, with these weaknesses. The other fields of
/// the key are those of `rest`.
pub fn toy_setup(r1cs: &R1CS<F>, weaknesses: Weaknesses, rest: &VerifyingKey) -> ToySetup {
    let rng = &mut rng(51);
    let [tau, alpha, beta, gamma, delta, sigma_w, sigma_e] = [0; 7].map(|_| F::rand(rng));
    let gamma = if weaknesses.gamma_is_one { F::ONE } else { gamma };
    let rows = if weaknesses.no_padding_row { ROWS } else { ROWS + 1 };
    let domain = GeneralEvaluationDomain::<F>::new(rows).unwrap();
    let lagrange = domain.evaluate_all_lagrange_coefficients(tau);
    let columns = r1cs.config().n_variables;
    let [a, b, c] = columns_at(r1cs.matrices(), columns, &lagrange);
    let vanishing = domain.evaluate_vanishing_polynomial(tau);

    let column = |j: usize| beta * a[j] + alpha * b[j] + c[j];
    let input: Vec<F> = (0..columns).map(|j| column(j) / gamma).collect();
    let (public, witness) = input.split_at(2);
    let error: Vec<F> = lagrange[..ROWS].iter().map(|value| *value / gamma).collect();
    let powers = (0..domain.size() as u64 - 1).map(|k| tau.pow([k]) * vanishing / delta);
    let vk = ark_groth16::VerifyingKey {
        alpha_g1: g1(alpha),
        beta_g2: g2(beta),
        gamma_g2: g2(gamma),
        delta_g2: g2(delta),
        gamma_abc_g1: list(public, F::ONE),
    };
    let key = VerifyingKey {
        alpha_g1: vk.alpha_g1,
        beta_g2: vk.beta_g2,
        gamma_g2: vk.gamma_g2,
        delta_g2: vk.delta_g2,
        base_one_g1: vk.gamma_abc_g1[0],
        base_x_g1: vk.gamma_abc_g1[1],
        sigma_w_g2: g2(sigma_w),
        sigma_e_g2: g2(sigma_e),
        ..rest.clone()
    };
    let groth16 = Groth16Key {
        vk,
        beta_g1: G1Affine::identity(),
        delta_g1: G1Affine::identity(),
        a_query: list(&a, F::ONE),
        b_g1_query: Vec::new(),
        b_g2_query: b.iter().copied().map(g2).collect(),
        h_query: powers.map(g1).collect(),
        l_query: Vec::new(),
    };
    let bases = Bases {
        groth16,
        commitment: TwoListKey::new(list(witness, F::ONE), list(&error, F::ONE)).unwrap(),
        knowledge_w: list(witness, sigma_w),
        knowledge_e: list(&error, sigma_e),
        sigma_w_g2: key.sigma_w_g2,
        sigma_e_g2: key.sigma_e_g2,
    };
    let sigma_w_g1 = weaknesses.sigma_in_g1.then(|| g1(sigma_w));
    ToySetup { bases, key, sigma_w_g1, base_x_over_delta: g1(column(1) / delta) }
}

fn g1(scalar: F) -> G1Affine {
    (G1Affine::generator() * scalar).into_affine()
}

fn g2(scalar: F) -> G2Affine {
    (G2Affine::generator() * scalar).into_affine()
}

fn list(scalars: &[F], factor: F) -> Vec<G1Affine> {
    scalars.iter().map(|scalar| g1(*scalar * factor)).collect()
}
