//! The parameters of one step circuit: the keys of folding and of the decider.

use std::fmt;

use rand::{CryptoRng, RngCore};
use rootfold_verifier::{
    folding::{
        cyclefold::{bases_rng, CycleFoldShape},
        digest::{r1cs_digest, Digest},
        sponge_config, CycleFoldCommitment, CycleFoldFolding, CycleFoldKey, IvcKey, IvcKeyParts,
        PrimaryFolding,
    },
    ParameterId, PreparedVerifyingKey, VerifyingKey, F,
};
use sonobe_fs::FoldingSchemeKeyGenerator;
use sonobe_primitives::{
    arithmetizations::{ccs::CCS, r1cs::R1CS, Arith, ArithConfig},
    commitments::CommitmentOps,
};

use crate::{
    bases::{proving_digest, Bases},
    foldable::FoldableCircuit,
    rows::Rows,
    setup::{generate_bases, SetupError, SetupStage},
    shape::step_r1cs,
};

/// The keys of folding and of the decider for one step circuit.
pub struct Parameters {
    pub(crate) verifying: PreparedVerifyingKey,
    pub(crate) ivc: IvcKey,
    pub(crate) bases: Bases,
    /// The rows of the step's R1CS, for folding and for Groth16.
    pub(crate) rows: Rows,
    pub(crate) sizes: ArithConfig,
    /// Whether this process made them, rather than read them from a file.
    pub(crate) made_here: bool,
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameters")
            .field("name", &self.name())
            .field("sizes", &self.sizes)
            .finish_non_exhaustive()
    }
}

/// The constraints of an augmented step circuit and of the CycleFold circuit, from which a setup
/// makes parameters.
pub(crate) struct Shape {
    pub r1cs: R1CS<F>,
    pub cyclefold: CycleFoldShape,
    pub digest: Digest,
}

impl Shape {
    pub fn synthesize<FC: FoldableCircuit>(
        circuit: &FC,
        hint: Option<ArithConfig>,
    ) -> Result<Self, SetupError> {
        let cyclefold = CycleFoldShape::new()?;
        let r1cs = step_r1cs(circuit, &cyclefold.r1cs().config(), hint)?;
        let digest = r1cs_digest(&r1cs);
        Ok(Self { r1cs, cyclefold, digest })
    }
}

impl Parameters {
    /// Makes development parameters for `circuit`. This process knows the trapdoor until it
    /// overwrites it.
    ///
    /// `profile` names the circuit's shape (1 to 32 characters of `a-z 0-9 _ -`); `idle` is the
    /// cursor outside an epoch.
    ///
    /// # Errors
    /// [`SetupError`] if the circuit cannot be synthesized or does not fit the decider.
    pub fn generate<FC: FoldableCircuit>(
        profile: &str,
        idle: F,
        circuit: &FC,
        rng: &mut (impl RngCore + CryptoRng),
        progress: &mut dyn FnMut(SetupStage),
    ) -> Result<Self, SetupError> {
        progress(SetupStage::Circuit);
        let shape = Shape::synthesize(circuit, None)?;
        Self::from_shape(profile, idle, shape, rng, progress)
    }

    pub(crate) fn from_shape(
        profile: &str,
        idle: F,
        shape: Shape,
        rng: &mut (impl RngCore + CryptoRng),
        progress: &mut dyn FnMut(SetupStage),
    ) -> Result<Self, SetupError> {
        let bases = generate_bases(&shape.r1cs, rng, progress)?;
        progress(SetupStage::Keys);
        let sizes = shape.r1cs.config();
        let groth16 = &bases.groth16.vk;
        let key = VerifyingKey {
            profile: profile.to_owned(),
            development: true,
            idle,
            constraints: sizes.n_constraints as u64,
            witnesses: sizes.n_witnesses as u64,
            step_digest: shape.digest,
            folding_digest: shape.cyclefold.digest(&sponge_config()),
            proving_digest: proving_digest(&bases),
            alpha_g1: groth16.alpha_g1,
            beta_g2: groth16.beta_g2,
            gamma_g2: groth16.gamma_g2,
            delta_g2: groth16.delta_g2,
            base_one_g1: groth16.gamma_abc_g1[0],
            base_x_g1: groth16.gamma_abc_g1[1],
            sigma_w_g2: bases.sigma_w_g2,
            sigma_e_g2: bases.sigma_e_g2,
        };
        Ok(Self { made_here: true, ..Self::assemble(key, bases, shape)? })
    }

    /// The parameters with this key, these bases and this circuit. `bases` must be those whose
    /// digest `key` names.
    pub(crate) fn assemble(
        key: VerifyingKey,
        bases: Bases,
        shape: Shape,
    ) -> Result<Self, SetupError> {
        let verifying = PreparedVerifyingKey::new(key)?;
        let sizes = shape.r1cs.config();
        let rows = Rows::new(shape.r1cs.matrices());
        let primary = PrimaryFolding::generate_keys(bases.commitment.clone(), shape.r1cs)?;
        let reference = verifying.initial_state(F::from(0));
        let pp_hash = verifying.id().pp_hash();
        Ok(Self {
            ivc: IvcKeyParts(
                primary,
                cyclefold_key(&shape.cyclefold)?,
                (sponge_config(), pp_hash, reference),
            ),
            verifying,
            bases,
            rows,
            sizes,
            made_here: false,
        })
    }

    /// The prepared verifying key.
    pub fn verifying_key(&self) -> &PreparedVerifyingKey {
        &self.verifying
    }

    /// Everything that the setup published for provers.
    pub fn bases(&self) -> &Bases {
        &self.bases
    }

    /// The id of these parameters.
    pub fn id(&self) -> ParameterId {
        self.verifying.id()
    }

    /// A short name: profile, `dev` for development parameters, and the first digits of the id.
    pub fn name(&self) -> String {
        self.verifying.key().name()
    }

    /// Whether one machine made these parameters and could have kept the trapdoor. Reports about
    /// them should say so.
    pub fn is_development(&self) -> bool {
        self.verifying.key().development
    }

    /// Number of constraints of an augmented step.
    pub fn constraints(&self) -> usize {
        self.sizes.n_constraints
    }

    /// Number of witness variables of an augmented step.
    pub fn witnesses(&self) -> usize {
        self.sizes.n_witnesses
    }
}

/// sonobe's key for CycleFold instances, with the same bases as a verifier's.
fn cyclefold_key(shape: &CycleFoldShape) -> Result<CycleFoldKey, SetupError> {
    let bases = CycleFoldCommitment::generate_key(shape.bases().len(), bases_rng())
        .map_err(sonobe_fs::Error::from)?;
    Ok(CycleFoldFolding::generate_keys(bases, shape.r1cs().clone())?)
}
