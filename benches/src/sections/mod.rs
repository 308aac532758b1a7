//! What is measured. Each section runs in a process of its own, so that its peak of memory is its
//! own, and answers with one line of JSON.

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

/// A section and what it is measured on.
#[derive(Debug, Clone, Subcommand)]
pub enum Section {
    /// Folding, compressing and verifying in one profile, and epochs really proved.
    Profile {
        /// The profile's name.
        profile: String,
    },
    /// Parameters of one profile.
    Setup {
        /// The profile's name.
        profile: String,
    },
    /// How full the steps of each load are.
    Rates,
    /// A new replica: from a proof and from the logs.
    Sync,
    /// Hashes, signatures and pages.
    Native,
    /// ark-groth16 alone.
    Groth16(Rival),
    /// nova-snark.
    Nova(Rival),
}

/// A step as large and as mixed as ours.
#[derive(Debug, Clone, Args)]
pub struct Rival {
    /// The profile whose step it is like, for the record.
    #[arg(long)]
    pub profile: String,
    /// Number of constraints.
    #[arg(long)]
    pub constraints: usize,
    /// How many of them say that a value is 0 or 1.
    #[arg(long)]
    pub bits: usize,
    /// Nonzero entries of the three matrices.
    #[arg(long)]
    pub nonzeros: usize,
}

/// How large everything is, and where the git history is.
#[derive(Debug, Clone, Args)]
pub struct Scale {
    /// Small sizes: seconds instead of minutes, and figures that mean nothing.
    #[arg(long)]
    pub quick: bool,
    /// A path inside the git repository whose history is a load.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    pub git: PathBuf,
}

/// The constraints of a rival's step: `bits` of the form `b * (1 - b) = 0`, and `products` in which
/// a sum of `terms` full-size values is multiplied by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RivalShape {
    bits: usize,
    products: usize,
    terms: usize,
}

impl Rival {
    fn shape(&self, sizes: &Sizes) -> RivalShape {
        let constraints = self.constraints.min(sizes.rival_constraints);
        // Without overflow: no matrix has 2^32 rows.
        let share =
            |count: usize| (count as f64 * constraints as f64 / self.constraints as f64) as usize;
        let bits = share(self.bits).min(constraints.saturating_sub(1));
        let products = constraints - bits;
        // A bit's row has 3 nonzeros, a product's those of the sum and 2.
        let left = share(self.nonzeros).saturating_sub(3 * bits);
        let terms = (left / products.max(1)).saturating_sub(2).max(1);
        RivalShape { bits, products, terms }
    }
}

impl Section {
    /// Measures, and returns the figures as JSON.
    ///
    /// # Errors
    /// If something does not fit together or cannot be read.
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
    Profile::named(name).ok_or_else(|| anyhow::anyhow!("there is no profile `{name}`"))
}
