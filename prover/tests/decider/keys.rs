//! Verifying keys under which the key alone suffices for a forgery.

use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, Field};
use rootfold_verifier::{
    Groth16Proof, KeyError, PreparedVerifyingKey, Proof, VerifyError, VerifyingKey, F,
};

use crate::{
    common::{parameters, space},
    forger::blank,
    weakened::{verify_by_name, verify_without, Defence, WeakKey},
};

/// Any root, with all vectors zero and therefore known: if `gamma` and `delta` are equal up to
/// sign, `C` can cancel the public input.
#[test]
fn gamma_equal_to_delta() {
    let parameters = parameters();
    let honest = parameters.verifying_key();
    for sign in [F::ONE, -F::ONE] {
        let published = WeakKey::from(honest);
        let delta_g2 = (published.key.gamma_g2 * sign).into_affine();
        let key = VerifyingKey { delta_g2, ..published.key.clone() };
        let weak = WeakKey { key, ..published };
        let mut forged = Proof { root: F::from(0xbad), ..blank(honest.cyclefold()) };
        forged.running.u = F::ONE;
        forged.incoming.x = vec![weak.state_hash(&forged)];
        let folded = weak.fold(&forged);
        let input = weak.key.base_one_g1 + weak.key.base_x_g1 * (folded.x[0] / folded.u);
        forged.groth16 = Groth16Proof {
            a: weak.key.alpha_g1,
            b: weak.key.beta_g2,
            c: (-input * sign).into_affine(),
        };
        assert_eq!(verify_without(&[Defence::KeyCheck], &weak, &forged, F::ZERO), Ok(()));
        assert_eq!(verify_by_name(honest, space(), &forged), Err(VerifyError::Groth16));
        let refused = KeyError::Related("gamma_g2", "delta_g2");
        assert_eq!(PreparedVerifyingKey::new(weak.key).map(|_| ()), Err(refused));
    }
}
