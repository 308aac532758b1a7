//! The sections of the report. Each section runs in its own process, so that its peak memory is
//! measured separately, and prints its figures as one line of JSON.

pub mod groth16;
pub mod mix;
pub mod native;
pub mod nova;
pub mod profile;
pub mod rates;
pub mod setup;
pub mod sizes;
pub mod sync;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rootfold_core::step::Profile;

use crate::measure::phases::Phases;
use sizes::Sizes;

/// A section and its arguments.
#[derive(Debug, Clone, Subcommand)]
pub enum Section {
    /// Planning, folding, compression and verification in one profile. Includes complete epochs.
    Profile {
        /// The profile's name.
        profile: String,
    },
    /// Generation of the parameters of one profile.
    Setup {
        /// The profile's name.
        profile: String,
    },
    /// Planning of each load in each profile: number and utilisation of steps.
    Rates,
    /// Bootstrap of a new replica from a proof, and replay of the logs.
    Sync,
    /// Hashes, signatures and pages, outside of circuits.
    Native,
    /// ark-groth16 on a circuit of a given size.
    Groth16(Rival),
    /// nova-snark on a step of a given size.
    Nova(Rival),
}

/// The size of a synthetic circuit for another proof system, and its proportions of bits and
/// nonzeros.
#[derive(Debug, Clone, Args)]
pub struct Rival {
    /// The profile whose step has this size. It is only reported.
    #[arg(long)]
    pub profile: String,
    /// Number of constraints.
    #[arg(long)]
    pub constraints: usize,
    /// Number of constraints that enforce a value to be 0 or 1.
    #[arg(long)]
    pub bits: usize,
    /// Number of nonzero entries of the three matrices.
    #[arg(long)]
    pub nonzeros: usize,
}

/// The scale of the run, and the git repository of the load git.
#[derive(Debug, Clone, Args)]
pub struct Scale {
    /// Use small sizes. The run takes seconds instead of minutes, and its figures are meaningless.
    #[arg(long)]
    pub quick: bool,
    /// A path inside the git repository whose history is the load git.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    pub git: PathBuf,
}

/// The constraints of the synthetic circuit: `bits` constraints `b * (1 - b) = 0`, and `products`
/// constraints that multiply a sum of `terms` full-size values by another full-size value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RivalShape {
    bits: usize,
    products: usize,
    terms: usize,
}

impl Rival {
    fn shape(&self, sizes: &Sizes) -> RivalShape {
        let constraints = self.constraints.min(sizes.rival_constraints);
        // In f64, where the product cannot overflow. Counts below 2^32 are exact.
        let share =
            |count: usize| (count as f64 * constraints as f64 / self.constraints as f64) as usize;
        let bits = share(self.bits).min(constraints.saturating_sub(1));
        let products = constraints - bits;
        // The constraint of a bit has 3 nonzeros, the constraint of a product has `terms + 2`.
        let left = share(self.nonzeros).saturating_sub(3 * bits);
        let terms = (left / products.max(1)).saturating_sub(2).max(1);
        RivalShape { bits, products, terms }
    }
}

impl Section {
    /// Runs the section and returns its figures as JSON.
    ///
    /// # Errors
    /// If a measurement fails, or if the git history or the parameters cannot be read.
    pub fn measure(&self, scale: &Scale, phases: &Phases) -> anyhow::Result<serde_json::Value> {
        let sizes = Sizes::of(scale);
        Ok(match self {
            Section::Profile { profile } => {
                serde_json::to_value(profile::measure(&named(profile)?, &sizes, phases)?)?
            }
            Section::Setup { profile } => serde_json::to_value(setup::measure(&named(profile)?)?)?,
            Section::Rates => serde_json::to_value(rates::measure(&sizes)?)?,
            Section::Sync => serde_json::to_value(sync::measure(&sizes)?)?,
            Section::Native => serde_json::to_value(native::measure(&sizes)?)?,
            Section::Groth16(rival) => serde_json::to_value(groth16::measure(rival, &sizes)?)?,
            Section::Nova(rival) => serde_json::to_value(nova::measure(rival, &sizes)?)?,
        })
    }
}

fn named(name: &str) -> anyhow::Result<Profile> {
    Profile::named(name).ok_or_else(|| anyhow::anyhow!("unknown profile `{name}`"))
}
