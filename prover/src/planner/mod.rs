//! The planner: computes the witnesses of an epoch's steps from the old tree and the ops
//! (`docs/circuits.md`).

mod keys;
mod pack;
mod runs;
mod walk;

use rootfold_core::{
    field,
    fold::{fold, Epoch, FoldError},
    step::{step, Profile, Registers, RowClass, State, StepWitness, TreeOp, TreeRow, Violation},
    tree::{lookup, update, PageStore, TreeError, Update},
    F,
};
use thiserror::Error;

/// Why an epoch cannot be planned.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The epoch does not continue the logs in the tree.
    #[error("the epoch cannot be folded: {0}")]
    Fold(#[from] FoldError<TreeError>),
    /// The old tree could not be read.
    #[error("reading the old tree: {0}")]
    Tree(#[from] TreeError),
    /// A step breaks a rule of the circuit, by the circuit's native twin.
    #[error("step {step} breaks a rule: {violation}")]
    Violation {
        /// Index of the step in the epoch, from 0.
        step: usize,
        /// The rule.
        violation: Violation,
    },
    /// The planned steps and the native fold come to different roots: an error of this program.
    #[error("the planned steps lead to root {}, the native fold to {}",
        field::to_hex(.planned), field::to_hex(.folded))]
    RootsDiffer {
        /// The root after the planned steps.
        planned: F,
        /// The root of the native fold.
        folded: F,
    },
    /// The epoch has no ops.
    #[error("the epoch has no ops")]
    Empty,
}

/// The steps of one epoch.
#[derive(Debug)]
pub struct Plan {
    /// The witnesses in order. The last step seals.
    pub steps: Vec<StepWitness>,
    /// The state after the last step.
    pub state: State,
    /// The native fold of the epoch: the pages of the new tree, whose root is that of `state`.
    pub update: Update,
    /// How many slots of the steps are used.
    pub usage: Usage,
}

/// Used and available slots of an epoch, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Usage {
    pub segments: Share,
    pub op_slots: Share,
    pub merge_rows: Share,
    pub tree_rows: Share,
}

/// Slots of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Number of used slots.
    pub used: usize,
    /// Number of slots.
    pub of: usize,
}

impl Share {
    fn count(&mut self, used: bool) {
        self.used += usize::from(used);
        self.of += 1;
    }
}

impl Usage {
    fn of(steps: &[StepWitness]) -> Usage {
        let mut usage = Usage::default();
        for step in steps {
            for segment in &step.segments {
                usage.segments.count(segment.ops.iter().any(|op| op.class.is_used()));
                segment.ops.iter().for_each(|op| usage.op_slots.count(op.class.is_used()));
            }
            for row in &step.rows {
                let active = row.merge.class != RowClass::Pad;
                usage.merge_rows.count(active);
                let used =
                    |(i, tree): (usize, &TreeRow)| tree.op != TreeOp::Pad || (active && i == 0);
                row.tree.iter().enumerate().for_each(|tree| usage.tree_rows.count(used(tree)));
            }
        }
        usage
    }
}

/// Plans the fold of `epoch` into the tree of `state`, and folds it natively. The native twin of
/// the circuit executes every step, so a plan that is returned satisfies the circuit, and both
/// folds have the same root.
///
/// # Errors
/// [`PlanError`] if the epoch is not valid or the tree cannot be read.
pub fn plan<S: PageStore + ?Sized>(
    store: &S,
    state: &State,
    epoch: &Epoch,
    profile: &Profile,
) -> Result<Plan, PlanError> {
    if epoch.ops() == 0 {
        return Err(PlanError::Empty);
    }
    let entries = fold(&|key| lookup(store, state.root, key), epoch)?;
    let update = update(store, state.root, &entries)?;
    let actions = walk::actions(store, state.root, &keys::key_ops(epoch))?;
    let rows = pack::rows(actions, profile);
    let mut steps = pack::steps(runs::segments(epoch, profile), rows, profile);
    let usage = Usage::of(&steps);
    let state = run(profile, *state, &mut steps)?;
    if state.root != update.root {
        return Err(PlanError::RootsDiffer { planned: state.root, folded: update.root });
    }
    Ok(Plan { steps, state, update, usage })
}

/// Executes the steps natively and gives each the registers after the previous one.
fn run(profile: &Profile, mut state: State, steps: &mut [StepWitness]) -> Result<State, PlanError> {
    let mut registers = Registers::idle();
    for (i, witness) in steps.iter_mut().enumerate() {
        witness.registers = registers;
        let done = step(profile, &state, witness);
        (state, registers) =
            done.map_err(|violation| PlanError::Violation { step: i, violation })?;
    }
    Ok(state)
}
