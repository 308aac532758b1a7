//! The values of a proved tree that are not inline in its pages.

use std::{collections::BTreeSet, sync::Arc};

use rootfold_core::F;
use rootfold_light::values::{Value, ValueName};

use super::{
    blocking,
    fetch::{Ask, Fetch, Named},
    BootstrapError,
};
use crate::{
    client::{Peer, PeerError},
    progress::{Event, Progress},
    space,
    store::{Batch, Durability, Store},
};

impl Named<ValueName> for Value {
    fn name(&self) -> ValueName {
        self.name
    }
}

/// Fetches and stores values; returns their number.
pub(super) async fn fetch(
    peers: &[Peer],
    space: F,
    store: Arc<dyn Store>,
    names: BTreeSet<ValueName>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<u64, BootstrapError> {
    let ask: Ask<ValueName, Value> =
        Arc::new(move |peer, names| Box::pin(async move { peer.values(space, &names).await }));
    let mut fetch = Fetch::new("values", peers, ask, faults);
    let known = names.len() as u64;
    names.into_iter().for_each(|name| fetch.want(name));
    let mut done = 0;
    while let Some((_, values)) = fetch.next().await? {
        done += values.len() as u64;
        let store = store.clone();
        let kept = blocking(move || {
            let mut batch = Batch::new();
            values.iter().for_each(|value| space::stage_value(&mut batch, value));
            // A resumed bootstrap fetches what a power failure loses.
            store.write(batch, Durability::Buffered)
        });
        kept.await??;
        progress.on(Event::Values { done, known });
    }
    Ok(done)
}
