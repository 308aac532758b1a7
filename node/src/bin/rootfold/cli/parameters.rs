//! Parameters on disk: made once per profile and machine, found by every later run.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use rootfold_core::step::{Profile, SCATTERED, SMALL, STANDARD};
use rootfold_prover::{engine, Parameters, SetupStage};
use rootfold_verifier::VerifyingKey;

use super::{args::ProfileName, failure::Failure, progress::Bars};

/// Says where parameters are kept, if the command line does not.
pub const VARIABLE: &str = "ROOTFOLD_PARAMS_DIR";

/// The folder of parameters.
pub struct ParametersFolder {
    path: PathBuf,
}

/// Parameters and where they came from.
pub struct Provided {
    /// The parameters.
    pub parameters: Arc<Parameters>,
    /// Whether they had to be made.
    pub made: bool,
}

impl ParametersFolder {
    /// The folder that the command line names, or the environment, or the user's cache.
    pub fn find(option: Option<PathBuf>) -> Result<ParametersFolder, Failure> {
        let named = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        // The XDG rule: a relative path in this variable does not count.
        let cache = || {
            named("XDG_CACHE_HOME")
                .filter(|path| path.is_absolute())
                .or_else(|| Some(named("HOME")?.join(".cache")))
        };
        let path = option
            .or_else(|| named(VARIABLE))
            .or_else(|| Some(cache()?.join("rootfold")))
            .ok_or_else(|| {
            Failure::usage(format!(
                "no place for parameters: give --params-dir, or set {VARIABLE} or HOME"
            ))
        })?;
        Ok(ParametersFolder { path })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finds parameters of a profile, or makes some.
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

    /// Finds the parameters to which a verifying key belongs.
    pub fn load(&self, key: &VerifyingKey, bars: &Bars) -> Result<Arc<Parameters>, Failure> {
        let profile = Profile::named(&key.profile).ok_or_else(|| {
            Failure::unreachable(format!("this program has no profile {:?}", key.profile))
        })?;
        bars.stage("reading the parameters");
        let parameters = engine::load_id(&self.path, key.id(), &profile);
        bars.clear();
        Ok(Arc::new(parameters?))
    }
}
