//! The sizes of all measured inputs.

use std::path::PathBuf;

use rootfold_core::step::{Profile, SCATTERED, SMALL, STANDARD};

use super::Scale;
use crate::loads::{Load, Wanted};

/// Input sizes and sample counts, for the full report or for its smoke test.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Sizes {
    pub profiles: Vec<Profile>,
    /// The least number of steps that are folded and timed, after the first two.
    pub folds: usize,
    pub compressions: usize,
    pub verifications: usize,
    /// Number of ops of an epoch of a load.
    pub epoch: usize,
    /// Number of epochs that are planned of each load.
    pub epochs: usize,
    /// Numbers of ops per writer and epoch.
    pub per_writer: Vec<usize>,
    /// Number of keys in the tree before the first op of a load, except for the load git.
    pub keys: usize,
    /// Profiles and loads of which one epoch is proved completely.
    pub proved: Vec<(Profile, Load)>,
    /// Number of ops per writer in these epochs.
    pub proved_per_writer: usize,
    /// Number of keys of the final state of all histories.
    pub history_keys: usize,
    /// Numbers of ops of the histories, ascending.
    pub histories: Vec<usize>,
    /// Numbers of keys of the states, ascending.
    pub states: Vec<usize>,
    /// Number of turns of each native function.
    pub turns: usize,
    /// Number of hashes in a turn.
    pub repetitions: usize,
    /// The largest number of constraints of another proof system's circuit.
    pub rival_constraints: usize,
    /// A path inside the git repository whose history is the load git.
    pub git: PathBuf,
}

impl Sizes {
    /// The small sizes if `scale.quick` is set, otherwise the full ones.
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

    /// The number of puts that a load must have for these sizes.
    pub fn wanted(&self) -> Wanted {
        Wanted { keys: self.keys, puts: self.epoch * self.epochs, git: self.git.clone() }
    }
}
