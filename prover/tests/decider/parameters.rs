//! Published parameters have the form that the decider's argument requires, and can be saved,
//! loaded and trusted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::common::{idle, input, other_parameters, parameters, rng, running, Toy, TOY};
use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, VariableBaseMSM};
use ark_ff::UniformRand;
use rootfold_prover::{
    atomic::write_atomically, compress, parameters_file, setup::generate_bases, shape::step_r1cs,
    Checkpoint, IncomingParameters, NotPrivate, Parameters, ParametersError, RunningProof,
    SetupStage,
};
use rootfold_verifier::{
    folding::cyclefold::CycleFoldShape, KeyError, ParameterId, PreparedVerifyingKey, F,
};
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

    // Each sigma belongs to its own list only.
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

/// The list of parameters that this user made.
const LIST: &str = "made-here.list";

/// [`Parameters::load_or_generate`], and whether it generated.
fn load_or_generate(dir: &Path, toy: &Toy) -> (Parameters, bool) {
    let mut made = false;
    let parameters = Parameters::load_or_generate(dir, "toy", idle(), toy, &mut |stage| {
        made |= stage == SetupStage::Columns;
    });
    (parameters.unwrap(), made)
}

/// Replaces the list of `dir`, by a file that nobody else can write.
fn write_list(dir: &Path, ids: &[ParameterId]) {
    let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
    write_atomically(&dir.join(LIST), &[lines.as_bytes()]).unwrap();
}

/// Saves parameters into `dir` and adds them to its list of those that this user made.
fn save_as_made(parameters: &Parameters, dir: &Path) -> PathBuf {
    let path = parameters.save(dir).unwrap();
    write_list(dir, &[parameters.id()]);
    path
}

#[test]
fn parameters_survive_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let load = |toy: &Toy| load_or_generate(dir.path(), toy);
    let first = parameters();
    save_as_made(&first, dir.path());
    let (second, made) = load(&TOY);
    assert!(!made && second.is_development());
    assert!(second.name().starts_with("toy-dev-"));
    assert_eq!(first.id(), second.id());
    // A running proof can be continued with the loaded parameters.
    let mut running = running(&first, 1);
    let bytes = running.checkpoint().to_bytes();
    assert_eq!(Checkpoint::encoded_len(&second), bytes.len() as u64);
    let checkpoint = Checkpoint::from_bytes(&running.checkpoint().to_bytes(), &second).unwrap();
    let mut resumed = RunningProof::resume(second.into(), TOY, checkpoint).unwrap();
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

/// Anyone can make fitting parameters and keep their trapdoor. Parameters that were copied into the
/// folder are used if their id is named, but not for a new space.
#[test]
fn only_parameters_made_here_are_used_unnamed() {
    let dir = tempfile::tempdir().unwrap();
    let copied = [parameters(), other_parameters()];
    for parameters in &copied {
        // Without the list, which only this process could have written.
        parameters.save(dir.path()).unwrap();
        let _ = fs::remove_file(dir.path().join(LIST));
    }
    let (ours, made) = load_or_generate(dir.path(), &TOY);
    assert!(made);
    for parameters in &copied {
        let id = parameters.id();
        assert_ne!(ours.id(), id);
        assert_eq!(Parameters::load_id(dir.path(), id, &TOY).unwrap().id(), id);
    }
    let (again, made) = load_or_generate(dir.path(), &TOY);
    assert!(!made && again.id() == ours.id());

    // Of several in the list, the first that still exists is used.
    write_list(dir.path(), &[copied[1].id(), copied[0].id()]);
    assert_eq!(load_or_generate(dir.path(), &TOY).0.id(), copied[1].id());
    fs::remove_file(dir.path().join(copied[1].file_name())).unwrap();
    assert_eq!(load_or_generate(dir.path(), &TOY).0.id(), copied[0].id());
}

/// Adds `bytes` from where `incoming` stands, in parts.
fn receive(incoming: &mut IncomingParameters, bytes: &[u8]) -> Result<(), ParametersError> {
    let from = incoming.received() as usize;
    bytes[from..].chunks(10_000).try_for_each(|part| incoming.add(part))
}

#[test]
fn parameters_arrive_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let parameters = parameters();
    let id = parameters.id();
    let bytes = fs::read(parameters.save(dir.path()).unwrap()).unwrap();
    let (path, _) = parameters_file(dir.path(), id).unwrap().unwrap();
    assert_eq!(fs::read(path).unwrap(), bytes);

    let folder = dir.path().join("of another user");
    assert!(parameters_file(&folder, id).unwrap().is_none());
    let open = || IncomingParameters::open(&folder, id).unwrap();
    let mut incoming = open();
    // Two processes do not write one file.
    assert!(matches!(IncomingParameters::open(&folder, id), Err(ParametersError::Io { .. })));
    receive(&mut incoming, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(incoming.total(), Some(bytes.len() as u64));
    assert!(matches!(incoming.finish(), Err(ParametersError::Damaged(_))));
    drop(incoming);
    // It goes on where it stopped.
    let mut incoming = open();
    assert_eq!(incoming.received() as usize, bytes.len() / 2);
    receive(&mut incoming, &bytes).unwrap();
    let path = incoming.finish().unwrap();
    assert_eq!(fs::read(path).unwrap(), bytes);
    assert_eq!(Parameters::load_id(&folder, id, &TOY).unwrap().id(), id);
    // They are used where a space names them, and for nothing else.
    assert!(!folder.join(LIST).exists());
}

#[test]
fn a_false_parameters_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (parameters, other) = (parameters(), other_parameters());
    let bytes = fs::read(parameters.save(dir.path()).unwrap()).unwrap();
    let others = fs::read(other.save(dir.path()).unwrap()).unwrap();
    let folder = dir.path().join("received");
    let mut incoming = IncomingParameters::open(&folder, parameters.id()).unwrap();
    let refused = receive(&mut incoming, &others).unwrap_err();
    assert!(matches!(refused, ParametersError::OtherId { .. }), "{refused}");
    // What is refused does not stay.
    drop(incoming);
    let mut incoming = IncomingParameters::open(&folder, parameters.id()).unwrap();
    assert_eq!(incoming.received(), 0);
    let longer = [bytes.as_slice(), &[0]].concat();
    let refused = receive(&mut incoming, &longer).unwrap_err();
    assert!(matches!(refused, ParametersError::Damaged(_)), "{refused}");
    for at in [5_000, bytes.len() / 2, bytes.len() - 1] {
        incoming.discard().unwrap();
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        receive(&mut incoming, &altered).unwrap();
        let refused = incoming.finish().unwrap_err();
        assert!(matches!(refused, ParametersError::Damaged(_)), "byte {at}: {refused}");
    }
    incoming.discard().unwrap();
    receive(&mut incoming, &bytes).unwrap();
    incoming.finish().unwrap();
}

#[cfg(unix)]
#[test]
fn what_others_can_write_is_refused() {
    use std::{
        fs::Permissions,
        os::unix::fs::{chown, PermissionsExt},
    };

    let dir = tempfile::tempdir().unwrap();
    let parameters = parameters();
    let id = parameters.id();
    let path = save_as_made(&parameters, dir.path());
    let list = dir.path().join(LIST);
    let refused = |shared: &Path| {
        let attempts = [
            Parameters::load_or_generate(dir.path(), "toy", idle(), &TOY, &mut |_| {}).map(|_| ()),
            Parameters::load_id(dir.path(), id, &TOY).map(|_| ()),
        ];
        attempts.map(|attempt| match attempt {
            Err(ParametersError::NotPrivate { path, source }) => {
                assert_eq!(path, shared);
                Some(source)
            }
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        })
    };
    for (shared, mode) in [(dir.path(), 0o770), (dir.path(), 0o703), (&path, 0o666)] {
        let before = fs::metadata(shared).unwrap().permissions();
        fs::set_permissions(shared, Permissions::from_mode(mode)).unwrap();
        assert_eq!(refused(shared), [Some(NotPrivate::Writable { mode }); 2]);
        fs::set_permissions(shared, before).unwrap();
    }
    assert_eq!(refused(&path), [None; 2]);
    // Loading by id does not read the list.
    fs::set_permissions(&list, Permissions::from_mode(0o620)).unwrap();
    assert_eq!(refused(&list), [Some(NotPrivate::Writable { mode: 0o620 }), None]);
    fs::set_permissions(&list, Permissions::from_mode(0o600)).unwrap();
    // Only root can change the owner of a file.
    if chown(&path, Some(4321), None).is_ok() {
        let [first, second] = refused(&path);
        assert!(matches!(first, Some(NotPrivate::Owner { owner: 4321, .. })), "{first:?}");
        assert_eq!(first, second);
    }
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
