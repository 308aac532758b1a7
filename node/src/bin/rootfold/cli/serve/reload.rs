//! SIGHUP: the config file and the files that it names are read again, and what can change while the node
//! runs changes.

use std::sync::Arc;

use rootfold_node::{
    follow::KeptConnections,
    peers::{self, Peers},
    server::Live,
    space::Space,
};
use serde::{de::DeserializeOwned, Serialize};
use serde_json::{Map, Value};

use super::{
    super::{
        context,
        failure::{Failure, OrFail},
        Context,
    },
    args::ServeArgs,
    signals::Hangups,
};
use crate::logging;

/// The options that change while the node runs. All others need a restart.
const LIVE: [&str; 15] = [
    "deny-writer",
    "log-level",
    "max-connections",
    "max-connections-per-address",
    "max-writer-bytes",
    "peer",
    "submit-token-file",
    "tls-ca",
    "tls-cert",
    "tls-client-ca",
    "tls-client-cert",
    "tls-client-key",
    "tls-key",
    "token-file",
    "token-in-clear",
];

/// What a reload needs of a running node.
pub(super) struct Reloading<'a> {
    pub(super) context: &'a Context,
    /// The options as clap has them, without the config file.
    pub(super) parsed: &'a ServeArgs,
    /// The options in force.
    pub(super) serve: ServeArgs,
    pub(super) live: Live,
    pub(super) dial: Arc<KeptConnections>,
    pub(super) space: Space,
    pub(super) peers: Peers,
}

impl Reloading<'_> {
    /// Reloads at each SIGHUP. Never ends.
    pub(super) async fn run(mut self, mut hangups: Hangups) {
        loop {
            hangups.next().await;
            match self.reload() {
                Ok(fixed) if fixed.is_empty() => {
                    tracing::info!(event = "config-reloaded", "the config was read again")
                }
                Ok(fixed) => tracing::warn!(
                    event = "config-restart-needed",
                    "the config was read again, but these options need a restart to change: {}",
                    fixed.join(", ")
                ),
                Err(failure) => tracing::error!(
                    event = "config-refused",
                    "the config was not reloaded, the node goes on with the old one: {}",
                    failure.message()
                ),
            }
        }
    }

    /// Changes what can change. Returns the other options that differ. Changes nothing if it fails.
    fn reload(&mut self) -> Result<Vec<String>, Failure> {
        let (serve, mut fixed) = laid_over(&self.serve, &self.context.config.merged(self.parsed)?)?;
        let (old, new) = (self.context.global(), self.context.config.global()?);
        let (global, more) = laid_over(old, new.as_ref().unwrap_or(old))?;
        fixed.extend(more);
        let credentials = context::credentials(&global)?;
        let (tls, token) = (serve.tls()?, serve.submit_token()?);
        logging::set_level(&global.log_level).or_usage("log-level")?;
        self.change_peers(&serve)?;
        self.live.set_limits(&serve.limits());
        self.live.set_tls(tls);
        self.live.set_submit_token(token);
        self.space.set_policy(serve.policy());
        self.dial.replace(credentials);
        self.serve = serve;
        Ok(fixed)
    }

    /// Adds and removes the peers that the config file has more or fewer than before.
    fn change_peers(&self, serve: &ServeArgs) -> Result<(), Failure> {
        let (old, new) = (self.serve.peers(), serve.peers());
        let data_dir = self.context.data_dir();
        let mut remembered = peers::remembered(&data_dir).or_unreachable("the file of peers")?;
        let added: Vec<String> = new.iter().filter(|at| !old.contains(at)).cloned().collect();
        let removed: Vec<String> = old.into_iter().filter(|at| !new.contains(at)).collect();
        remembered.retain(|address| !removed.contains(address));
        remembered.extend(
            added.iter().filter(|at| !remembered.contains(at)).cloned().collect::<Vec<_>>(),
        );
        peers::remember(&data_dir, &remembered).or_unreachable("the file of peers")?;
        removed.iter().for_each(|address| {
            self.peers.remove(address);
        });
        added.into_iter().for_each(|address| self.peers.add(address));
        Ok(())
    }
}

/// The `old` options with those of the `new` ones that can change, and the names of the others that
/// differ.
fn laid_over<T: Serialize + DeserializeOwned>(
    old: &T,
    new: &T,
) -> Result<(T, Vec<String>), Failure> {
    let keys = |options: &T| -> Result<Map<String, Value>, Failure> {
        let json = serde_json::to_value(options).or_usage("the options")?;
        serde_json::from_value(json).or_usage("the options")
    };
    let (mut options, new) = (keys(old)?, keys(new)?);
    let mut fixed = Vec::new();
    for (key, value) in new {
        let held = options.get_mut(&key).filter(|held| **held != value);
        match held {
            Some(held) if LIVE.contains(&key.as_str()) => *held = value,
            Some(_) => fixed.push(key),
            None => {}
        }
    }
    let options = serde_json::from_value(Value::Object(options)).or_usage("the options")?;
    Ok((options, fixed))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::global::Global;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        serve: ServeArgs,
        #[command(flatten)]
        global: Global,
    }

    #[test]
    fn options_that_change_exist() {
        let Options { serve, global } = Options::try_parse_from(["serve"]).unwrap();
        let serve = serde_json::to_value(serve).unwrap();
        let global = serde_json::to_value(global).unwrap();
        for key in LIVE {
            assert!(serve.get(key).is_some() || global.get(key).is_some(), "{key}");
        }
    }
}
