//! Poseidon, the twin of `core::hash`.

use ark_ff::Field;
use ark_r1cs_std::{
    fields::fp::{AllocatedFp, FpVar},
    GR1CSVar,
};
use ark_relations::gr1cs::{ConstraintSystemRef, LinearCombination, SynthesisError, Variable};
use rootfold_arith::poseidon::{parameters, permute, Parameters};
use rootfold_core::{hash::Tag, F};

use crate::{bits::linear_combination, Result, Var};

/// `H_n^tag(inputs)`, with three constraints per S-box whose input is not constant.
///
/// # Panics
/// If the number of inputs is not in `1..=12`.
pub fn hash(tag: Tag, inputs: &[Var]) -> Result<Var> {
    hash_tagged(&FpVar::Constant(tag.to_field()), inputs)
}

/// [`hash`] with a tag that the circuit computes. Costs three constraints more.
///
/// # Panics
/// If the number of inputs is not in `1..=12`.
pub fn hash_tagged(tag: &Var, inputs: &[Var]) -> Result<Var> {
    let parameters = parameters(inputs.len());
    let cs = tag.cs().or(inputs.cs());
    let cells = std::iter::once(tag).chain(inputs);
    let values = cells.map(|x| x.value().ok()).collect::<Option<Vec<F>>>();
    let native = values.map(|values| Native::run(parameters, values));
    if cs.is_none() {
        let native = native.ok_or(SynthesisError::AssignmentMissing)?;
        return Ok(FpVar::Constant(native.output));
    }
    let mut state = Cells::new(&cs, tag, inputs);
    let mut sbox_inputs = native.as_ref().map(|n| n.sbox_inputs.iter().copied());
    let half = parameters.full_rounds / 2;
    let rounds = parameters.full_rounds + parameters.partial_rounds;
    for round in 0..rounds {
        let partial = round >= half && round < half + parameters.partial_rounds;
        state.add_constants(&parameters.round_constants[round * parameters.width..]);
        for cell in 0..if partial { 1 } else { parameters.width } {
            let input = sbox_inputs.as_mut().and_then(Iterator::next);
            state.sbox(&cs, cell, input)?;
        }
        // Only cell 0 of the last round is the hash.
        state.mix(&parameters.mds, if round + 1 == rounds { 1 } else { parameters.width });
    }
    let output = state.cells.swap_remove(0);
    let variable = cs.new_lc(|| output.sum)?;
    Ok(FpVar::Var(AllocatedFp::new(native.map(|n| n.output), variable, cs)))
}

/// The output and the inputs of the S-boxes, computed natively: the values of the witnesses.
struct Native {
    output: F,
    sbox_inputs: Vec<F>,
}

impl Native {
    /// Runs the permutation on the tag and the inputs.
    fn run(parameters: &Parameters, mut state: Vec<F>) -> Native {
        let mut sbox_inputs = Vec::new();
        permute(parameters, &mut state, |x| sbox_inputs.push(x));
        Native { output: state[0], sbox_inputs }
    }
}

/// The cells of the permutation as linear combinations. These are kept only while matrices are
/// constructed; for the assignment alone, [`Native`] has the values.
struct Cells {
    cells: Vec<Cell>,
    symbolic: bool,
}

struct Cell {
    sum: LinearCombination<F>,
    constant: bool,
}

impl Cells {
    fn new(cs: &ConstraintSystemRef<F>, tag: &Var, inputs: &[Var]) -> Cells {
        let symbolic = cs.should_construct_matrices();
        let cells = std::iter::once(tag)
            .chain(inputs)
            .map(|input| Cell {
                sum: if symbolic { linear_combination(input) } else { LinearCombination::new() },
                constant: matches!(input, FpVar::Constant(_)),
            })
            .collect();
        Cells { cells, symbolic }
    }

    fn add_constants(&mut self, constants: &[F]) {
        if self.symbolic {
            for (cell, constant) in self.cells.iter_mut().zip(constants) {
                cell.sum += (*constant, Variable::One);
            }
        }
    }

    /// `y = x^5` by `x * x = x2`, `x2 * x2 = x4`, `x4 * x = y`. No constraints if `x` is constant.
    fn sbox(&mut self, cs: &ConstraintSystemRef<F>, cell: usize, input: Option<F>) -> Result<()> {
        let x = &mut self.cells[cell];
        if x.constant {
            if self.symbolic {
                let constant: F = x.sum.iter().map(|(c, _)| *c).sum();
                x.sum = (constant.square().square() * constant, Variable::One).into();
            }
            return Ok(());
        }
        let missing = SynthesisError::AssignmentMissing;
        let x2 = cs.new_witness_variable(|| Ok(input.ok_or(missing)?.square()))?;
        let x4 = cs.new_witness_variable(|| Ok(input.ok_or(missing)?.square().square()))?;
        let y = cs.new_witness_variable(|| {
            let x = input.ok_or(missing)?;
            Ok(x.square().square() * x)
        })?;
        cs.enforce_r1cs_constraint(|| x.sum.clone(), || x.sum.clone(), || x2.into())?;
        cs.enforce_r1cs_constraint(|| x2.into(), || x2.into(), || x4.into())?;
        cs.enforce_r1cs_constraint(|| x4.into(), || x.sum.clone(), || y.into())?;
        if self.symbolic {
            x.sum = y.into();
        }
        Ok(())
    }

    /// Multiplies the cells by the first `outputs` rows of the MDS matrix.
    fn mix(&mut self, mds: &[Vec<F>], outputs: usize) {
        let constant = self.cells.iter().all(|cell| cell.constant);
        let mixed = mds.iter().take(outputs).map(|row| {
            let mut sum = LinearCombination::new();
            if self.symbolic {
                for (coefficient, cell) in row.iter().zip(&self.cells) {
                    sum.extend(cell.sum.iter().map(|(c, v)| (*c * coefficient, *v)));
                }
                sum.compactify();
            }
            Cell { sum, constant }
        });
        self.cells = mixed.collect();
    }
}
