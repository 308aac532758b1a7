//! What every command needs.

use std::{future::Future, path::PathBuf, sync::Arc};

use rootfold_core::{eddsa::SecretKey, log::Tip};
use rootfold_light::invite::Invite;
use rootfold_node::{data_dir::DataDir, space::Space};
use rootfold_prover::Parameters;
use rootfold_verifier::VerifyingKey;

use super::{
    failure::{Failure, OrFail},
    keyring::Keyring,
    output::Output,
    parameters::ParametersFolder,
    progress::Bars,
};

/// The global options.
pub struct Context {
    data: PathBuf,
    params_dir: Option<PathBuf>,
    /// How to answer.
    pub output: Output,
}

impl Context {
    /// Of the global options.
    pub fn new(data: PathBuf, params_dir: Option<PathBuf>, json: bool) -> Context {
        Context { data, params_dir, output: Output { json } }
    }

    /// The same options for another data folder.
    pub fn with_data(&self, data: PathBuf) -> Context {
        Context { data, params_dir: self.params_dir.clone(), output: self.output }
    }

    /// The data folder.
    pub fn folder(&self) -> DataDir {
        DataDir::new(&self.data)
    }

    /// The space in the data folder.
    pub fn space(&self) -> Result<Space, Failure> {
        Ok(self.folder().open()?)
    }

    /// The keys in the data folder.
    pub fn keyring(&self) -> Keyring {
        Keyring::of(&self.data)
    }

    /// Where parameters are kept.
    pub fn parameters(&self) -> Result<ParametersFolder, Failure> {
        ParametersFolder::find(self.params_dir.clone())
    }

    /// The parameters in which the space is proved.
    pub fn space_parameters(&self, space: &Space, bars: &Bars) -> Result<Arc<Parameters>, Failure> {
        self.parameters()?.load(&verifying_key(space)?, bars)
    }

    /// A local key and the writer that it is in the space.
    pub fn writer(&self, space: &Space, name: &str) -> Result<(u32, Tip, SecretKey), Failure> {
        let secret = self.keyring().read(name)?;
        let public_key = secret.public_key();
        let found = space.writers().into_iter().find(|(_, tip)| tip.head.public_key == public_key);
        let (writer, tip) = found.ok_or_else(|| {
            Failure::refused(format!(
                "{name} is no writer of this space; its owner can admit him: rootfold grant {}",
                hex::encode(public_key.to_bytes())
            ))
        })?;
        Ok((writer, tip, secret))
    }
}

/// The verifying key that the space was made or bootstrapped with.
pub fn verifying_key(space: &Space) -> Result<VerifyingKey, Failure> {
    space.verifying_key()?.ok_or_else(|| {
        Failure::unreachable("this replica has no verifying key: it came here without a proof")
    })
}

/// The invite to a space.
pub fn invite(space: &Space) -> Result<Invite, Failure> {
    Ok(Invite { space: space.id(), parameters: verifying_key(space)?.id() })
}

/// Runs a future to its end on a runtime of its own.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_unreachable("starting the network threads")?;
    runtime.block_on(future)
}
