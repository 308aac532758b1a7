//! What the CycleFold circuit accepts in place of a commitment at infinity.
//!
//! arkworks' gadget represents a point by projective coordinates and checks only the curve's
//! equation, which (0, 0, 0) satisfies too. Complete addition of (0, 0, 0) to any point gives
//! (0, 0, 0), which counts as infinity. `docs/soundness.md`, "Findings so far", says why this
//! helps nobody.

use ark_bn254::{g1::Config, Fr, G1Projective};
use ark_ec::{short_weierstrass::SWCurveConfig, AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_r1cs_std::{
    alloc::AllocVar,
    fields::{fp::FpVar, FieldVar},
    groups::{curves::short_weierstrass::ProjectiveVar, CurveVar},
};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use ark_std::{rand::Rng, test_rng};
use rootfold_verifier::folding::{cyclefold::CycleFoldShape, Fq};
use sonobe_primitives::{
    algebra::ops::bits::{FromBits, ToBitsGadgetExt},
    circuits::{AssignmentsExtractor, AssignmentsOwned, WitnessToPublic},
};

/// Bits of a folding challenge.
const CHALLENGE_BITS: usize = 128;

type PointVar = ProjectiveVar<Config, FpVar<Fq>>;
/// Projective coordinates that a prover chooses.
type Triple = [Fq; 3];

/// Infinity as arkworks allocates it.
const HONEST_INFINITY: Triple = [Fq::ZERO, Fq::ONE, Fq::ZERO];
/// The triple that is no point.
const ZEROS: Triple = [Fq::ZERO; 3];

fn triple(point: G1Projective) -> Triple {
    let (x, y) = point.into_affine().xy().expect("not infinity");
    [x, y, Fq::ONE]
}

/// Allocates a point as arkworks does, with the same variables in the same order.
fn allocate(cs: &ConstraintSystemRef<Fq>, triple: Triple) -> Result<PointVar, SynthesisError> {
    let coordinate = |value: Fq| FpVar::new_witness(cs.clone(), || Ok(value));
    let [x, y, z] = [coordinate(triple[0])?, coordinate(triple[1])?, coordinate(triple[2])?];
    let (x2, y2, z2) = (x.square()?, y.square()?, z.square()?);
    let right = &x * (x2 + &z2 * Config::COEFF_A);
    z.mul_equals(&(y2 - z2 * Config::COEFF_B), &right)?;
    Ok(PointVar::new(x, y, z))
}

/// The witness of the CycleFold circuit for `running + challenge * incoming`, computed from any
/// coordinates.
fn assignment(challenge: &[bool], running: Triple, incoming: Triple) -> AssignmentsOwned<Fq> {
    let cs = AssignmentsExtractor::new();
    cs.execute_fn(|cs| {
        let rho = FpVar::new_input(cs.clone(), || Ok(Fq::from_bits_le(challenge)))?;
        let bits = rho.to_n_bits_le(CHALLENGE_BITS)?;
        let points = [allocate(&cs, running)?, allocate(&cs, incoming)?];
        points.mark_as_public()?;
        (points[1].scalar_mul_le(bits.iter())? + &points[0]).mark_as_public()
    })
    .expect("synthesizes");
    cs.assignments().expect("has values")
}

/// Whether sonobe's circuit accepts it, and the sum that it states: the last two public inputs.
fn stated_sum(assignment: AssignmentsOwned<Fq>) -> (bool, [Fq; 2]) {
    let shape = CycleFoldShape::new().expect("synthesizes");
    let [.., x, y] = assignment.public[..] else { panic!("two coordinates are public") };
    let error = shape.r1cs().evaluate_r1cs(assignment).expect("the lengths are right");
    (error.iter().all(|row| *row == Fq::ZERO), [x, y])
}

#[test]
fn a_running_commitment_at_infinity_can_be_kept_there() {
    let rng = &mut test_rng();
    let challenge: Vec<bool> = (0..CHALLENGE_BITS).map(|_| rng.gen()).collect();
    let scalar = Fr::from_bits_le(&challenge);
    let (point, other) = (G1Projective::rand(rng), G1Projective::rand(rng));
    let sum = |running, incoming| stated_sum(assignment(&challenge, running, incoming));
    let xy = |point: G1Projective| {
        let [x, y, _] = triple(point);
        [x, y]
    };
    let infinity = [Fq::ZERO; 2];

    // What is meant.
    assert_eq!(sum(triple(other), triple(point)), (true, xy(other + point * scalar)));
    assert_eq!(sum(HONEST_INFINITY, triple(point)), (true, xy(point * scalar)));
    // What is accepted besides: the running commitment stays at infinity.
    assert_eq!(sum(ZEROS, triple(point)), (true, infinity));
    // The incoming commitment's triple makes no difference.
    assert_eq!(sum(triple(other), HONEST_INFINITY), (true, xy(other)));
    assert_eq!(sum(triple(other), ZEROS), (true, xy(other)));
    // Coordinates of any other point that is not on the curve are refused.
    let [x, y, z] = triple(other);
    assert!(!sum([x, y + Fq::ONE, z], triple(point)).0);
    assert!(!sum([x, y, Fq::ZERO], triple(point)).0);
}
