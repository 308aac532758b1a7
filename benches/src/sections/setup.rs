//! Generates parameters, and stores them for the other sections.

use std::{path::PathBuf, sync::Arc};

use rand::rngs::OsRng;
use rootfold_core::step::Profile;
use rootfold_prover::{
    engine::{generate, load_or_generate},
    Parameters, SetupStage,
};

use crate::{
    measure::{memory, timed},
    report::SetupFigures,
};

/// The environment variable that contains the path of the folder of parameters.
pub const PARAMETERS: &str = "ROOTFOLD_PARAMS_DIR";

/// Generates parameters, and saves them if [`PARAMETERS`] is set.
///
/// # Errors
/// If the parameters cannot be generated or saved.
pub fn measure(profile: &Profile) -> anyhow::Result<SetupFigures> {
    let (made, took) = timed(|| generate(profile, OsRng, &mut progress));
    let (made, memory) = (made?, memory::peak());
    if let Some(folder) = folder() {
        made.save(&folder)?;
    }
    Ok(SetupFigures { seconds: took.as_secs_f64(), memory })
}

/// Loads the parameters from the folder in [`PARAMETERS`], or generates them.
///
/// # Errors
/// If the parameters cannot be read, generated or saved.
pub fn parameters(profile: &Profile) -> anyhow::Result<Arc<Parameters>> {
    Ok(Arc::new(match folder() {
        Some(folder) => load_or_generate(&folder, profile, &mut progress)?,
        None => generate(profile, OsRng, &mut progress)?,
    }))
}

/// The folder in [`PARAMETERS`]; `None` if the variable is not set.
pub fn folder() -> Option<PathBuf> {
    std::env::var_os(PARAMETERS).map(PathBuf::from)
}

fn progress(stage: SetupStage) {
    tracing::info!("{}", stage.describe());
}
