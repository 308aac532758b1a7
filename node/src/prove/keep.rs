//! Keeping a copy of the running proof of peers, so that the space does not depend on one prover: a node
//! with a copy can prove at any time.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rand::Rng;
use rootfold_prover::{engine, parameters_file, Parameters};
use rootfold_verifier::VerifyingKey;

use super::{
    beside::quiet_pool,
    continued::{is_ahead, take},
    parameters::{fetch_parameters, FetchParametersError},
    profile_of, ProveError,
};
use crate::{
    blocking::blocking,
    bootstrap::SyncContext,
    data_dir::DataDir,
    peers::Peers,
    space::{Proved, Space},
};

/// What a node needs to keep a copy.
pub struct Keeping {
    /// The space.
    pub space: Space,
    /// The data directory, which gets the copy.
    pub data_dir: DataDir,
    /// The folder of parameters. They are fetched if they are missing.
    pub parameters: PathBuf,
    /// The peers that may have a running proof.
    pub peers: Peers,
    /// How peers are reached.
    pub context: SyncContext,
    /// The time between two looks for a newer one.
    pub every: Duration,
}

/// Fetches the running proof of a peer whenever it has more steps than the one here, checks it and keeps
/// it, until it is dropped. Failures are logged, and the next round tries again. Parameters are in memory
/// only while a running proof is checked.
pub async fn keep_proof(keeping: Keeping) {
    loop {
        for address in keeping.peers.addresses() {
            match keep_from(&keeping, &address).await {
                Ok(Some(proved)) => {
                    tracing::info!(
                        event = "proof-kept",
                        ops = proved.ops,
                        peer = address,
                        "kept a running proof"
                    );
                }
                Ok(None) => {}
                Err(e) => {
                    tracing::info!(event = "proof-missing", error = %e, peer = address, "no running proof from a peer");
                }
            }
        }
        // So that nodes do not fall into step.
        let jitter = rand::thread_rng().gen_range(0.0..0.25);
        tokio::time::sleep(keeping.every.mul_f64(1.0 + jitter)).await;
    }
}

/// Keeps the running proof of one peer, if it has more steps than the one here.
async fn keep_from(keeping: &Keeping, address: &str) -> Result<Option<Proved>, ProveError> {
    let Keeping { space, data_dir, context, .. } = keeping;
    let Some(key) = space.verifying_key()? else { return Ok(None) };
    let peer = context.dial.connect(address).await?;
    let steps = space.status().proved.map_or(0, |proved| proved.steps);
    if !is_ahead(&peer, space.id(), key.id(), steps).await? {
        return Ok(None);
    }
    let parameters = Arc::new(parameters(keeping, &key, address).await?);
    Ok(Some(take(space, data_dir, &parameters, &peer, steps, context, &()).await?))
}

/// The parameters of the space, which the peer sends if they are not here.
async fn parameters(
    keeping: &Keeping,
    key: &VerifyingKey,
    address: &str,
) -> Result<Parameters, ProveError> {
    let profile = profile_of(key)?;
    let (dir, id) = (keeping.parameters.clone(), key.id());
    let held = dir.clone();
    let held = blocking(move || parameters_file(&held, id)).await?;
    if held.map_err(FetchParametersError::from)?.is_none() {
        let from = [address.to_owned()];
        fetch_parameters(&from, &*keeping.context.dial, &dir, id, &()).await?;
    }
    let loaded = blocking(move || quiet_pool(move || engine::load_id(&dir, id, &profile))).await?;
    Ok(loaded.map_err(FetchParametersError::from)?)
}
