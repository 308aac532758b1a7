//! What a setup publishes has the form the decider's argument needs, and survives the disk.

use std::fs;

use crate::common::{idle, input, other_parameters, parameters, rng, running, Toy, TOY};
use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, VariableBaseMSM};
use ark_ff::UniformRand;
use rootfold_prover::{
    compress, setup::generate_bases, shape::step_r1cs, Parameters, ParametersError,
};
use rootfold_verifier::{folding::cyclefold::CycleFoldShape, KeyError, PreparedVerifyingKey, F};
use sonobe_primitives::arithmetizations::Arith;

#[test]
fn a_setup_has_the_form_that_the_argument_needs() {
    let cyclefold = CycleFoldShape::new().unwrap().r1cs().config();
    let r1cs = step_r1cs(&TOY, &cyclefold, None).unwrap();
    let hinted = step_r1cs(&TOY, &cyclefold, Some(r1cs.config())).unwrap();
    assert!(hinted == r1cs);
    let sizes = r1cs.config();
    assert_eq!(sizes.n_public_inputs, 1);
    assert_ne!(sizes.n_witnesses, sizes.n_constraints);

    let bases = generate_bases(&r1cs, &mut rng(5), &mut |_| {}).unwrap();
    let (witness, error) = (bases.commitment.witness(), bases.commitment.error());
    assert_eq!(witness.len(), sizes.n_witnesses);
    assert_eq!(error.len(), sizes.n_constraints);
    let groth16 = &bases.groth16;
    assert_eq!(groth16.vk.gamma_abc_g1.len(), 2);
    assert_eq!(groth16.a_query.len(), sizes.n_variables);
    assert_eq!(groth16.b_g2_query.len(), sizes.n_variables);
    // At least one row of the domain stays empty.
    assert!(groth16.h_query.len() + 1 > sizes.n_constraints);
    assert!((groth16.h_query.len() + 1).is_power_of_two());
    assert!(groth16.l_query.is_empty() && groth16.b_g1_query.is_empty());
    assert!(groth16.beta_g1.is_zero() && groth16.delta_g1.is_zero());

    // Each sigma acts on exactly its own list.
    let random = |len: usize| -> Vec<F> { (0..len).map(|_| F::rand(&mut rng(6))).collect() };
    let pairs = [
        (witness, &bases.knowledge_w, bases.sigma_w_g2, bases.sigma_e_g2),
        (error, &bases.knowledge_e, bases.sigma_e_g2, bases.sigma_w_g2),
    ];
    for (bases, knowledge, own, other) in pairs {
        assert_eq!(bases.len(), knowledge.len());
        let weights = random(bases.len());
        let sum = |points: &[G1Affine]| ark_bn254::G1Projective::msm_unchecked(points, &weights);
        let shown = Bn254::pairing(sum(knowledge), G2Affine::generator());
        assert_eq!(shown, Bn254::pairing(sum(bases), own));
        assert_ne!(shown, Bn254::pairing(sum(bases), other));
    }
}

#[test]
fn parameters_survive_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let load = |toy: &Toy| {
        let mut made = false;
        let parameters =
            Parameters::load_or_generate(dir.path(), "toy", idle(), toy, &mut |stage| {
                made |= stage == rootfold_prover::SetupStage::Columns;
            });
        (parameters.unwrap(), made)
    };
    let first = parameters();
    first.save(dir.path()).unwrap();
    let (second, made) = load(&TOY);
    assert!(!made && second.is_development());
    assert!(second.name().starts_with("toy-dev-"));
    assert_eq!(first.id(), second.id());
    // What one began, the other continues.
    let mut running = running(&first, 1);
    let checkpoint =
        rootfold_prover::Checkpoint::from_bytes(&running.checkpoint().to_bytes(), &second);
    let mut resumed =
        rootfold_prover::RunningProof::resume(second.into(), TOY, checkpoint.unwrap()).unwrap();
    resumed.prove_step(input(1)).unwrap();
    running.prove_step(input(1)).unwrap();
    let proof = compress(resumed.parameters(), resumed.checkpoint()).unwrap();
    assert_eq!(proof, compress(running.parameters(), running.checkpoint()).unwrap());

    let id = running.parameters().id();
    assert_eq!(Parameters::load_id(dir.path(), id, &TOY).unwrap().id(), id);
    let longer = Toy { work: TOY.work + 1 };
    assert!(matches!(
        Parameters::load_id(dir.path(), id, &longer),
        Err(ParametersError::OtherCircuit(_))
    ));
    let (other, made) = load(&longer);
    assert!(made && other.id() != id);
}

#[test]
fn damaged_and_misnamed_files_are_refused() {
    let parameters = parameters();
    let dir = tempfile::tempdir().unwrap();
    let path = parameters.save(dir.path()).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("toy-dev-{}.params", parameters.id()));
    let bytes = fs::read(&path).unwrap();
    let load = || Parameters::load(&path, &TOY).map(|_| ());
    load().unwrap();

    for at in [3000, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&path, &flipped).unwrap();
        assert!(matches!(load(), Err(ParametersError::Damaged(_))));
    }
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(load(), Err(ParametersError::Damaged(_))));
    fs::write(&path, &bytes[..20]).unwrap();
    assert!(matches!(load(), Err(ParametersError::Decode { .. })));

    let other = other_parameters();
    let misnamed = other.save(dir.path()).unwrap();
    fs::rename(misnamed, &path).unwrap();
    assert!(matches!(load(), Err(ParametersError::OtherId { .. })));

    let nowhere = Parameters::load_or_generate(dir.path(), "../up", idle(), &TOY, &mut |_| {});
    assert!(matches!(nowhere, Err(ParametersError::Profile(_))));
}

#[test]
fn a_key_for_other_folding_circuits_is_refused() {
    let mut key = parameters().verifying_key().key().clone();
    key.folding_digest[0] ^= 1;
    assert!(matches!(PreparedVerifyingKey::new(key), Err(KeyError::OtherFolding)));
}
