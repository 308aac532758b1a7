//! The transcripts' sponge, with a permutation that takes a third of the time of arkworks'.

use std::{convert::Infallible, sync::Arc};

use ark_crypto_primitives::sponge::poseidon::PoseidonConfig;
use ark_ff::AdditiveGroup;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::SynthesisError;
use rootfold_arith::poseidon::{Parameters, Permutation};
use sonobe_primitives::transcripts::{AbsorbableVar, Transcript, TranscriptGadget};

use super::{nova::SPONGE_RATE, sonobe::F};

/// Twin of [`Sponge`](super::sonobe::Sponge) for verifiers, without a gadget.
#[derive(Clone, Debug)]
pub(crate) struct QuickSponge {
    permutation: Arc<Permutation>,
    capacity: F,
    rate: [F; SPONGE_RATE],
    mode: Mode,
}

/// The sponge's phase, with the index of the next cell of the rate.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Absorbing(usize),
    Squeezing(usize),
}

/// The permutation of the sponge with these parameters.
///
/// # Panics
/// Unless the exponent is 5, the capacity 1 and the rate [`SPONGE_RATE`].
pub(crate) fn permutation(config: &PoseidonConfig<F>) -> Permutation {
    assert_eq!((config.alpha, config.capacity, config.rate), (5, 1, SPONGE_RATE));
    Permutation::new(&Parameters {
        width: config.capacity + config.rate,
        full_rounds: config.full_rounds,
        partial_rounds: config.partial_rounds,
        round_constants: config.ark.concat(),
        mds: config.mds.clone(),
    })
}

impl QuickSponge {
    fn permute(&mut self) {
        self.permutation.permute(&mut self.capacity, &mut self.rate);
    }
}

impl Transcript<F> for QuickSponge {
    type Config = Arc<Permutation>;
    type Gadget = NoGadget;

    fn new(permutation: Arc<Permutation>) -> Self {
        let (capacity, rate) = (F::ZERO, [F::ZERO; SPONGE_RATE]);
        Self { permutation, capacity, rate, mode: Mode::Absorbing(0) }
    }

    fn add_field_elements(&mut self, input: &[F]) -> &mut Self {
        let mut at = match self.mode {
            Mode::Absorbing(at) => at,
            Mode::Squeezing(_) if input.is_empty() => return self,
            Mode::Squeezing(_) => 0,
        };
        for element in input {
            if at == SPONGE_RATE {
                self.permute();
                at = 0;
            }
            self.rate[at] += element;
            at += 1;
        }
        self.mode = Mode::Absorbing(at);
        self
    }

    fn get_field_elements(&mut self, num_elements: usize) -> Vec<F> {
        let mut at = match self.mode {
            Mode::Squeezing(at) if at < SPONGE_RATE => at,
            Mode::Squeezing(_) | Mode::Absorbing(_) => {
                self.permute();
                0
            }
        };
        let mut squeezed = Vec::with_capacity(num_elements);
        for _ in 0..num_elements {
            if at == SPONGE_RATE {
                self.permute();
                at = 0;
            }
            squeezed.push(self.rate[at]);
            at += 1;
        }
        self.mode = Mode::Squeezing(at);
        squeezed
    }
}

/// The gadget that sonobe's trait requires. An empty type: no circuit uses this sponge.
#[derive(Clone)]
pub(crate) struct NoGadget(Infallible);

impl TranscriptGadget<F> for NoGadget {
    type Config = Infallible;
    type Widget = QuickSponge;

    fn new(config: Infallible) -> Self {
        Self(config)
    }

    fn add<A: AbsorbableVar<F>>(&mut self, _input: &A) -> Result<&mut Self, SynthesisError> {
        match self.0 {}
    }

    fn get_field_elements(&mut self, _count: usize) -> Result<Vec<FpVar<F>>, SynthesisError> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folding::{sponge_config, Sponge};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Numbers to absorb and numbers of elements to squeeze, in turn.
        #[test]
        fn agrees_with_arkworks(
            rounds in prop::collection::vec((prop::collection::vec(any::<i64>(), 0..20), 0..20usize), 0..5)
        ) {
            let config = sponge_config();
            let mut theirs = Sponge::new_with_pp_hash(config.clone(), F::from(7u64));
            let permutation = Arc::new(permutation(&config));
            let mut ours = QuickSponge::new_with_pp_hash(permutation, F::from(7u64));
            for (absorbed, squeezed) in rounds {
                let absorbed: Vec<F> = absorbed.into_iter().map(F::from).collect();
                theirs.add_field_elements(&absorbed);
                ours.add_field_elements(&absorbed);
                prop_assert_eq!(
                    ours.get_field_elements(squeezed),
                    theirs.get_field_elements(squeezed)
                );
            }
        }
    }
}
