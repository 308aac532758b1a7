//! Parameters on disk. They are generated once per profile and folder.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::ValueEnum;
use rootfold_core::step::{Profile, SCATTERED, SMALL, STANDARD};
use rootfold_prover::{engine, Parameters, ParametersError, SetupStage};
use rootfold_verifier::VerifyingKey;

use super::{failure::Failure, progress::Bars};
use crate::global::{path_in, PARAMS_DIR};

/// The profile of a space: the size of its step circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// For tests and the demo.
    Small,
    /// For spaces whose new keys mostly follow the existing ones, as in logs and message histories.
    Standard,
    /// For spaces whose ops hit keys all over a large tree.
    Scattered,
}

/// The folder of parameters.
pub struct ParametersDir {
    path: PathBuf,
}

/// Parameters, and whether this run has generated them.
pub struct Provided {
    /// The parameters.
    pub parameters: Arc<Parameters>,
    /// Whether this run has generated them.
    pub made: bool,
}

impl ParametersDir {
    /// The directory that `--params-dir` names, or [`PARAMS_DIR`], or `rootfold` in the user's cache.
    pub fn find(option: Option<PathBuf>) -> Result<ParametersDir, Failure> {
        // XDG: a relative path in this variable is ignored.
        let cache = || {
            path_in("XDG_CACHE_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| Some(path_in("HOME")?.join(".cache")))
        };
        let path = option
            .or_else(|| path_in(PARAMS_DIR))
            .or_else(|| Some(cache()?.join("rootfold")))
            .ok_or_else(|| {
                Failure::usage(format!(
                    "no directory for parameters: give --params-dir, or set {PARAMS_DIR} or HOME"
                ))
            })?;
        Ok(ParametersDir { path })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the parameters of a profile; generates them if there are none.
    pub fn provide(&self, profile: ProfileName, bars: &Bars) -> Result<Provided, Failure> {
        let profile = match profile {
            ProfileName::Small => SMALL,
            ProfileName::Standard => STANDARD,
            ProfileName::Scattered => SCATTERED,
        };
        let mut made = false;
        let parameters = engine::load_or_generate(&self.path, &profile, &mut |stage| {
            made |= stage == SetupStage::Save;
            bars.stage(stage.describe());
        });
        bars.clear();
        Ok(Provided { parameters: Arc::new(parameters?), made })
    }

    /// Reads the parameters of a verifying key.
    pub fn load(&self, key: &VerifyingKey, bars: &Bars) -> Result<Arc<Parameters>, Failure> {
        let profile = Profile::named(&key.profile).ok_or_else(|| {
            Failure::unreachable(format!(
                "the space has profile {:?}, which this version of rootfold does not know",
                key.profile
            ))
        })?;
        bars.stage("reading the parameters");
        let parameters = engine::load_id(&self.path, key.id(), &profile);
        bars.clear();
        let parameters = parameters.map_err(|e| match &e {
            ParametersError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Failure::unreachable(format!(
                    "{e}: fetch them with `rootfold params fetch --from ADDR` from a node that proves"
                ))
            }
            _ => e.into(),
        });
        Ok(Arc::new(parameters?))
    }
}
