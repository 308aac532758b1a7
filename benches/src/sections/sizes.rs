//! How large everything is.

use std::path::PathBuf;

use rootfold_core::step::{Profile, SCATTERED, SMALL, STANDARD};

use super::Scale;
use crate::loads::{Load, Wanted};

/// Sizes of everything that is measured, of the report or of its smoke test.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Sizes {
    pub profiles: Vec<Profile>,
    /// Steps that are folded and timed at least, after the first two.
    pub folds: usize,
    pub compressions: usize,
    pub verifications: usize,
    /// Ops of an epoch of the loads.
    pub epoch: usize,
    /// Epochs planned of each load.
    pub epochs: usize,
    /// Ops per writer and epoch.
    pub per_writer: Vec<usize>,
    /// Keys in the tree before the first op of a load that is not git's.
    pub keys: usize,
    /// Loads of which an epoch is really proved, by profile.
    pub proved: Vec<(Profile, Load)>,
    /// Ops per writer in these.
    pub proved_per_writer: usize,
    /// Keys of the state that all histories end in.
    pub history_keys: usize,
    /// Lengths of histories, ascending.
    pub histories: Vec<usize>,
    /// Sizes of states, ascending.
    pub states: Vec<usize>,
    /// Turns of everything native, and how often a turn repeats what takes microseconds.
    pub turns: usize,
    pub repetitions: usize,
    /// The most constraints of a rival's step.
    pub rival_constraints: usize,
    pub git: PathBuf,
}

impl Sizes {
    /// The sizes of this scale.
    pub fn of(scale: &Scale) -> Sizes {
        let git = scale.git.clone();
        if scale.quick {
            Sizes::quick(git)
        } else {
            Sizes::full(git)
        }
    }

    fn full(git: PathBuf) -> Sizes {
        Sizes {
            profiles: Profile::ALL.to_vec(),
            folds: 10,
            compressions: 3,
            verifications: 50,
            epoch: 4096,
            epochs: 2,
            per_writer: vec![1, 8, 64],
            keys: 100_000,
            proved: vec![(STANDARD, Load::Append), (SCATTERED, Load::Random)],
            proved_per_writer: 8,
            history_keys: 10_000,
            histories: vec![10_000, 30_000, 100_000, 300_000, 1_000_000],
            states: vec![1_000, 3_000, 10_000, 30_000, 100_000, 300_000],
            turns: 25,
            repetitions: 1000,
            rival_constraints: 1 << 19,
            git,
        }
    }

    fn quick(git: PathBuf) -> Sizes {
        Sizes {
            profiles: vec![SMALL],
            folds: 1,
            compressions: 1,
            verifications: 3,
            epoch: 8,
            epochs: 2,
            per_writer: vec![1, 8],
            keys: 200,
            proved: vec![(SMALL, Load::Append)],
            proved_per_writer: 8,
            history_keys: 200,
            histories: vec![200, 600],
            states: vec![100, 200],
            turns: 3,
            repetitions: 10,
            rival_constraints: 1 << 11,
            git,
        }
    }

    /// The puts that a load needs for epochs of every kind.
    pub fn wanted(&self) -> Wanted {
        Wanted { keys: self.keys, puts: self.epoch * self.epochs, git: self.git.clone() }
    }
}
