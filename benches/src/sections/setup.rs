//! Making parameters, and where they are kept for the other sections.

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

/// The variable that names the folder of the parameters.
pub const PARAMETERS: &str = "ROOTFOLD_PARAMS_DIR";

/// Makes parameters, and saves them if there is a folder for them.
///
/// # Errors
/// If they cannot be made or saved.
pub fn measure(profile: &Profile) -> anyhow::Result<SetupFigures> {
    let (made, took) = timed(|| generate(profile, OsRng, &mut progress));
    let (made, memory) = (made?, memory::peak());
    if let Some(folder) = folder() {
        made.save(&folder)?;
    }
    Ok(SetupFigures { seconds: took.as_secs_f64(), memory })
}

/// The parameters that are kept, or new ones.
///
/// # Errors
/// If they cannot be read or made.
pub fn parameters(profile: &Profile) -> anyhow::Result<Arc<Parameters>> {
    Ok(Arc::new(match folder() {
        Some(folder) => load_or_generate(&folder, profile, &mut progress)?,
        None => generate(profile, OsRng, &mut progress)?,
    }))
}

/// The folder of the parameters.
pub fn folder() -> Option<PathBuf> {
    std::env::var_os(PARAMETERS).map(PathBuf::from)
}

fn progress(stage: SetupStage) {
    tracing::info!("{}", stage.describe());
}
