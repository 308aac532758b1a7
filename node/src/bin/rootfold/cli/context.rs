//! The global options and what all commands derive from them.

use std::{
    future::Future,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use rootfold_core::{eddsa::SecretKey, log::Tip, space::Genesis};
use rootfold_light::{invite::Invite, signing};
use rootfold_node::{
    client::Credentials, data_dir::DataDir, peers::Peers, restored::Mark, space::Space,
    tls::ClientTls, token::Token,
};
use rootfold_prover::Parameters;
use rootfold_verifier::VerifyingKey;

use crate::global::Global;
#[cfg(unix)]
use crate::socket::Runner;

use super::{
    config::Config,
    failure::{Failure, OrFail},
    keyring::{Keyring, OWNER},
    output::Output,
    parameters::ParametersDir,
    progress::Bars,
};

/// The global options.
pub struct Context {
    global: Global,
    /// Where the options come from.
    pub config: Config,
    /// The form of answers.
    pub output: Output,
    caller: Caller,
}

/// Who runs a command.
pub enum Caller {
    /// A process of its own.
    Terminal {
        /// Runs the commands of other processes, if this one serves.
        #[cfg(unix)]
        runner: Option<Runner>,
    },
    /// Another process: the command runs in the node that serves its data directory.
    Process(Beside),
}

/// The caller of a command that runs in a node that serves.
pub struct Beside {
    /// The space of the node.
    pub space: Space,
    /// The peers of the node.
    pub peers: Peers,
    /// The folder to which paths are relative.
    pub cwd: PathBuf,
    /// The bytes of stdin, if the command reads it.
    pub stdin: Option<Vec<u8>>,
}

impl Context {
    /// A context of the given options.
    pub fn new(global: Global, config: Config, output: Output, caller: Caller) -> Context {
        Context { global, config, output, caller }
    }

    fn beside(&self) -> Option<&Beside> {
        match &self.caller {
            Caller::Process(beside) => Some(beside),
            Caller::Terminal { .. } => None,
        }
    }

    /// What runs the commands of other processes.
    #[cfg(unix)]
    pub fn runner(&self) -> Option<Runner> {
        match self.caller {
            Caller::Terminal { runner } => runner,
            Caller::Process(_) => None,
        }
    }

    /// The same options with another data directory.
    pub fn with_data(&self, data: PathBuf) -> Context {
        let caller = Caller::Terminal {
            #[cfg(unix)]
            runner: None,
        };
        let global = Global { data, ..self.global.clone() };
        Context::new(global, Config::default(), self.output.clone(), caller)
    }

    /// The space of the node in which this command runs; `None` in a process of its own.
    pub fn served_space(&self) -> Option<Space> {
        self.beside().map(|beside| beside.space.clone())
    }

    /// The peers of the node in which this command runs; `None` in a process of its own.
    pub fn served_peers(&self) -> Option<Peers> {
        self.beside().map(|beside| beside.peers.clone())
    }

    /// A path of the command line.
    pub fn path(&self, path: &Path) -> PathBuf {
        match self.beside() {
            Some(beside) => beside.cwd.join(path),
            None => path.to_owned(),
        }
    }

    /// The bytes of stdin, at most `limit`.
    pub fn stdin(&self, limit: u64) -> io::Result<Vec<u8>> {
        if let Some(beside) = self.beside() {
            return Ok(beside.stdin.clone().unwrap_or_default());
        }
        let mut bytes = Vec::new();
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Progress bars, unless the answer goes to another process.
    pub fn bars(&self) -> Bars {
        Bars::new(self.output.is_captured())
    }

    /// The data directory.
    pub fn data_dir(&self) -> DataDir {
        DataDir::new(&self.global.data)
    }

    /// Opens the space in the data directory.
    pub fn space(&self) -> Result<Space, Failure> {
        match self.served_space() {
            Some(space) => Ok(space),
            None => Ok(self.data_dir().open()?),
        }
    }

    /// Warns before an op is signed in a data directory that was copied or restored from a backup. Once:
    /// the next op is signed from here, whatever happens.
    pub fn warn_if_restored(&self) {
        let mark = Mark::of(&self.data_dir());
        if mark.is_copied().unwrap_or(false) {
            self.output.warn(&format!(
                "warning: {} was copied or restored from a backup. If newer ops of this writer \
                 exist anywhere, the next op forks the log for good; `bootstrap` from a peer fetches them",
                self.global.data.display()
            ));
        }
        self.mark_folder();
    }

    /// Marks the data directory, to notice later that it was copied.
    pub fn mark_folder(&self) {
        if let Err(e) = Mark::of(&self.data_dir()).set() {
            tracing::debug!(error = %e, "the data directory has no mark");
        }
    }

    /// The options of all commands.
    pub fn global(&self) -> &Global {
        &self.global
    }

    /// What this node shows to others, and demands of them.
    pub fn credentials(&self) -> Result<Credentials, Failure> {
        credentials(&self.global)
    }

    /// The keys in the data directory.
    pub fn keyring(&self) -> Keyring {
        Keyring::of(&self.global.data)
    }

    /// The folder of parameters.
    pub fn parameters(&self) -> Result<ParametersDir, Failure> {
        ParametersDir::find(self.global.params_dir.clone())
    }

    /// Reads the parameters of the space's proofs.
    pub fn space_parameters(&self, space: &Space, bars: &Bars) -> Result<Arc<Parameters>, Failure> {
        self.parameters()?.load(&verifying_key(space)?, bars)
    }

    /// The secret key of the owner, whatever its name is here.
    pub fn owner(&self, space: &Space) -> Result<SecretKey, Failure> {
        let owner = space.tip(signing::OWNER).map(|tip| tip.head.public_key);
        let mut keys = self.keyring().list()?.into_iter();
        let found = keys.find(|(_, public_key)| Some(*public_key) == owner);
        let (name, _) = found.ok_or_else(|| {
            Failure::refused(
                "only the owner (writer 0) admits writers and replaces heads; run this on the owner's node",
            )
        })?;
        self.keyring().read(&name)
    }

    /// The secret key with this name; for the name of the owner's first key, that of the owner.
    fn secret(&self, space: &Space, name: &str) -> Result<SecretKey, Failure> {
        if name == OWNER {
            if let Ok(secret) = self.owner(space) {
                return Ok(secret);
            }
        }
        self.keyring().read(name)
    }

    /// The id, the tip and the secret key of the writer who has the local key `name`.
    pub fn writer(&self, space: &Space, name: &str) -> Result<(u32, Tip, SecretKey), Failure> {
        let secret = self.secret(space, name)?;
        let public_key = secret.public_key();
        let found = space.writers().into_iter().find(|(_, tip)| tip.head.public_key == public_key);
        let (writer, tip) = found.ok_or_else(|| {
            Failure::refused(format!(
                "key {name:?} belongs to no writer of this space; ask the owner to admit it: rootfold \
                 grant {}",
                hex::encode(public_key.to_bytes())
            ))
        })?;
        Ok((writer, tip, secret))
    }
}

/// What a node with these options shows to others, and demands of them. Reads the files.
pub fn credentials(global: &Global) -> Result<Credentials, Failure> {
    let identity = match (&global.tls_client_cert, &global.tls_client_key) {
        (Some(certificate), Some(key)) => Some((certificate.as_path(), key.as_path())),
        (None, None) => None,
        _ => {
            return Err(Failure::usage(
                "--tls-client-cert and --tls-client-key belong together: give both or none",
            ))
        }
    };
    let ca = global.tls_ca.as_deref();
    // The authorities of the system are read when an address needs them.
    let asked = ca.is_some() || identity.is_some();
    let tls = asked.then(|| ClientTls::read(ca, identity)).transpose()?;
    let token = global.token_file.as_deref().map(Token::read).transpose()?;
    Ok(Credentials { tls, token, token_in_clear: global.token_in_clear })
}

/// The verifying key with which the space was created or bootstrapped.
pub fn verifying_key(space: &Space) -> Result<VerifyingKey, Failure> {
    space.verifying_key()?.ok_or_else(|| {
        Failure::unreachable("this replica has no verifying key: it was created by `replay`")
    })
}

/// The genesis config of a space.
pub fn genesis(space: &Space) -> Result<Genesis, Failure> {
    space.genesis()?.ok_or_else(|| {
        Failure::unreachable(
            "this replica has no genesis config, since no peer of its bootstrap had it: run this \
             command on another node",
        )
    })
}

/// The invite to a space.
pub fn invite(space: &Space) -> Result<Invite, Failure> {
    Ok(Invite { space: space.id(), parameters: verifying_key(space)?.id() })
}

/// Runs a future on a new runtime.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_unreachable("starting the runtime")?;
    runtime.block_on(future)
}
