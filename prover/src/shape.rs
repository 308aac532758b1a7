//! The constraints of an augmented step, extracted from the circuit and extended as the decider
//! requires.

use std::collections::BTreeSet;

use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use ark_relations::gr1cs::{ConstraintSystem, Matrix, R1CS_PREDICATE_LABEL};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use rootfold_verifier::{
    folding::{sponge_config, StepWithFolding},
    F,
};
use sonobe_primitives::{
    arithmetizations::{r1cs::R1CS, Arith, ArithConfig},
    circuits::ArithExtractor,
};

use crate::{foldable::FoldableCircuit, setup::SetupError};

/// How often the circuit is synthesized before the search for its size is given up.
const MAX_ROUNDS: usize = 8;

/// The constraints of the augmented circuit: `circuit` and the verification of a fold.
///
/// The augmented circuit depends on its own sizes, so it is synthesized until they repeat. A right
/// `hint`, the sizes found before, saves a synthesis; a wrong one costs one.
///
/// # Errors
/// [`SetupError::Synthesis`] from the circuit; [`SetupError::OtherPredicate`] for a constraint that
/// is not rank-1; [`SetupError::Unsettled`] if the sizes do not repeat.
pub fn step_r1cs<FC: FoldableCircuit>(
    circuit: &FC,
    cyclefold: &ArithConfig,
    hint: Option<ArithConfig>,
) -> Result<R1CS<F>, SetupError> {
    let sponge = sponge_config();
    let mut own = hint.unwrap_or(ArithConfig { n_public_inputs: 1, ..ArithConfig::default() });
    for _ in 0..MAX_ROUNDS {
        let cs = ArithExtractor::new();
        cs.execute_synthesizer(StepWithFolding::new(&sponge, &own, cyclefold, circuit))?;
        let extracted: Extracted = cs.arith()?;
        if let Some((predicate, constraints)) = extracted.other_predicate {
            return Err(SetupError::OtherPredicate { predicate, constraints });
        }
        let r1cs = extracted.fit_for_decider();
        let config = r1cs.config();
        if config == own {
            return Ok(r1cs);
        }
        own = config;
    }
    Err(SetupError::Unsettled { rounds: MAX_ROUNDS })
}

/// The matrices of a synthesized circuit.
struct Extracted {
    variables: usize,
    public_inputs: usize,
    /// The R1CS predicate's `A`, `B` and `C`.
    matrices: [Matrix<F>; 3],
    /// Another predicate that has constraints, and how many.
    other_predicate: Option<(String, usize)>,
}

impl From<ConstraintSystem<F>> for Extracted {
    fn from(cs: ConstraintSystem<F>) -> Self {
        let matrices = cs.predicate_constraint_systems[R1CS_PREDICATE_LABEL].to_matrices(&cs);
        Self {
            variables: cs.num_instance_variables + cs.num_witness_variables,
            // The first instance variable is the constant 1.
            public_inputs: cs.num_instance_variables - 1,
            matrices: matrices.try_into().expect("the R1CS predicate has three matrices"),
            other_predicate: cs
                .get_all_predicates_num_constraints()
                .into_iter()
                .find(|(label, constraints)| label != R1CS_PREDICATE_LABEL && *constraints > 0),
        }
    }
}

impl Extracted {
    /// Appends rows of the form `v * 0 = 0` until the commitment key has no identities, no bases
    /// that are equal up to sign, and no two lists of the same length.
    ///
    /// The base of a variable is a linear combination of its column in `A`, `B` and `C`. A variable
    /// that no constraint uses has an empty column, so its base is the identity. Variables with
    /// equal columns have equal bases. A variable that occurs once, in `C`, has the base of that
    /// row's error. The decider's argument excludes these cases (`docs/design.md`, section 6).
    /// sonobe's part of the circuit has four unused products; a step circuit may have any of them.
    /// An extra row makes the variable's column unique and constrains nothing.
    fn fit_for_decider(mut self) -> R1CS<F> {
        for column in self.columns_without_a_base() {
            self.append_empty_product(column);
        }
        let witnesses = self.variables - self.public_inputs - 1;
        if witnesses == self.constraints() {
            self.append_empty_product(0);
        }
        R1CS::new_without_validity_check(
            self.constraints(),
            self.variables,
            self.public_inputs,
            self.matrices,
        )
    }

    fn constraints(&self) -> usize {
        self.matrices[0].len()
    }

    fn append_empty_product(&mut self, column: usize) {
        let [a, b, c] = &mut self.matrices;
        a.push(vec![(F::ONE, column)]);
        b.push(Vec::new());
        c.push(Vec::new());
    }

    /// Variables whose column is empty or equal, up to sign, to that of an error or of an earlier
    /// variable.
    fn columns_without_a_base(&self) -> Vec<usize> {
        // Columns are compared by their product with random vectors. The seed is fixed so that a
        // circuit always gets the same rows. No adversary chooses circuits.
        let mut rng = ChaCha20Rng::seed_from_u64(0);
        let mut fingerprints = vec![F::ZERO; self.variables];
        let mut taken = BTreeSet::from([F::ZERO.into_bigint()]);
        for (index, matrix) in self.matrices.iter().enumerate() {
            for row in matrix {
                let weight = F::rand(&mut rng);
                for (coefficient, column) in row {
                    fingerprints[*column] += weight * coefficient;
                }
                // The error of a row is added to the row of `C`.
                if index == 2 {
                    taken.insert(up_to_sign(weight));
                }
            }
        }
        let mut clashing = Vec::new();
        for (column, fingerprint) in fingerprints.into_iter().enumerate() {
            if !taken.insert(up_to_sign(fingerprint)) {
                clashing.push(column);
            }
        }
        clashing
    }
}

fn up_to_sign(element: F) -> <F as PrimeField>::BigInt {
    element.into_bigint().min((-element).into_bigint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_r1cs_std::{alloc::AllocVar, fields::fp::FpVar, GR1CSVar};
    use ark_relations::{
        gr1cs::{predicate::PredicateConstraintSystem, SynthesisError, Variable},
        lc,
    };
    use rootfold_verifier::folding::{cyclefold::CycleFoldShape, IvcState};
    use sonobe_primitives::{arithmetizations::ccs::CCS, circuits::FCircuit};

    /// `z = (1, x, w0, w1, w2, w3)`.
    fn extracted(rows: &[[&[usize]; 3]]) -> Extracted {
        let matrix = |index: usize| -> Matrix<F> {
            rows.iter()
                .map(|row| row[index].iter().map(|column| (F::ONE, *column)).collect())
                .collect()
        };
        Extracted {
            variables: 6,
            public_inputs: 1,
            matrices: [matrix(0), matrix(1), matrix(2)],
            other_predicate: None,
        }
    }

    /// Squares its root, by a constraint of the kind `a * a = b` rather than a rank-1 constraint.
    struct Squaring;

    impl FCircuit for Squaring {
        type Field = F;
        type State = IvcState;
        type StateVar = [FpVar<F>; 3];
        type ExternalInputs = ();
        type ExternalOutputs = ();

        fn dummy_state(&self) -> IvcState {
            [F::ZERO; 3]
        }

        fn same_state_shape(_: &IvcState, _: &IvcState) -> bool {
            true
        }

        fn dummy_external_inputs(&self) {}

        fn generate_step_constraints(
            &self,
            i: FpVar<F>,
            [root, ops, cursor]: [FpVar<F>; 3],
            (): (),
        ) -> Result<([FpVar<F>; 3], ()), SynthesisError> {
            let cs = i.cs();
            cs.register_predicate("square", PredicateConstraintSystem::new_sr1cs_predicate()?)?;
            let square = FpVar::new_witness(cs.clone(), || Ok(root.value()?.square()))?;
            let variable = |var: &FpVar<F>| match var {
                FpVar::Var(allocated) => lc!() + allocated.variable,
                FpVar::Constant(value) => lc!() + (*value, Variable::One),
            };
            let (from, to) = (variable(&root), variable(&square));
            cs.enforce_constraint_arity_2("square", || from, || to)?;
            Ok(([square, ops, cursor], ()))
        }
    }

    /// Folding and Groth16 see only R1CS constraints, so that this circuit's root would be free.
    #[test]
    fn other_predicates_are_refused() {
        let cyclefold = CycleFoldShape::new().expect("synthesizes").r1cs().config();
        match step_r1cs(&Squaring, &cyclefold, None) {
            Err(SetupError::OtherPredicate { predicate, constraints }) => {
                assert_eq!((predicate.as_str(), constraints), ("square", 1));
            }
            other => panic!("{:?}", other.map(|_| ())),
        }
    }

    #[test]
    fn columns_that_need_a_row_get_one() {
        let circuit = extracted(&[
            // w0 and w1 occur only together, w2 is an unused result, and w3 does not occur.
            [&[2, 3], &[1], &[4]],
            [&[0], &[1], &[2, 3]],
        ]);
        assert_eq!(circuit.columns_without_a_base(), [3, 4, 5]);
        let r1cs = circuit.fit_for_decider();
        assert_eq!(r1cs.config().n_constraints, 5);
        assert_eq!(
            r1cs.matrices()[0][2..],
            [vec![(F::ONE, 3)], vec![(F::ONE, 4)], vec![(F::ONE, 5)]]
        );
    }

    #[test]
    fn equal_lengths_are_made_different() {
        let circuit = extracted(&[
            [&[2, 3], &[0, 2], &[4]],
            [&[3], &[4, 5], &[2]],
            [&[1, 4], &[5], &[2]],
            [&[5], &[3], &[3, 4]],
        ]);
        assert_eq!(circuit.columns_without_a_base(), Vec::<usize>::new());
        let config = circuit.fit_for_decider().config();
        assert_eq!((config.n_witnesses, config.n_constraints), (4, 5));
    }
}
