//! The values of a tree that are not inline in its pages.

use std::{collections::BTreeSet, sync::Arc};

use rootfold_core::F;
use rootfold_light::values::{Value, ValueName};

use super::{
    blocking,
    fetch::{Ask, Fetch, Holder, Named, Next},
    BootstrapError,
};
use crate::{
    client::{Peer, PeerError},
    progress::{Event, Progress},
    space::{self, Space},
    store::{Batch, Durability, Store},
};

impl Named<ValueName> for Value {
    fn name(&self) -> ValueName {
        self.name
    }
}

/// The result of fetching values.
#[derive(Default)]
pub(super) struct FetchedValues {
    /// The number of values.
    pub(super) values: u64,
    /// The values that no peer sent.
    pub(super) holes: Vec<ValueName>,
}

/// Fetches values and hands them to `keep`.
async fn fetch_with(
    holders: &[Holder],
    space: F,
    names: BTreeSet<ValueName>,
    keep: impl Fn(Vec<Value>) -> Result<(), crate::store::StoreError> + Clone + Send + 'static,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<FetchedValues, BootstrapError> {
    let ask: Ask<ValueName, Value> =
        Arc::new(move |peer, names| Box::pin(async move { peer.values(space, &names).await }));
    let mut fetch = Fetch::new("values", holders, ask, faults);
    let known = names.len() as u64;
    names.into_iter().for_each(|name| fetch.want(name));
    let mut fetched = FetchedValues::default();
    loop {
        match fetch.next().await? {
            Next::Done => return Ok(fetched),
            Next::Nobody(names) => fetched.holes.extend(names),
            Next::Items(_, values) => {
                fetched.values += values.len() as u64;
                let keep = keep.clone();
                blocking(move || keep(values)).await??;
                progress.on(Event::Values { done: fetched.values, known });
            }
        }
    }
}

/// Fetches and stores values.
pub(super) async fn fetch(
    holders: &[Holder],
    space: F,
    store: Arc<dyn Store>,
    names: BTreeSet<ValueName>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<FetchedValues, BootstrapError> {
    let keep = move |values: Vec<Value>| {
        let mut batch = Batch::new();
        values.iter().for_each(|value| space::stage_value(&mut batch, value));
        // A resumed bootstrap fetches what a power failure loses.
        store.write(batch, Durability::Buffered)
    };
    fetch_with(holders, space, names, keep, faults, progress).await
}

/// Asks all peers for the values that the space misses. Returns the number of those that came. A peer
/// that does not have them is not faulty.
pub(super) async fn fill_holes(
    space: &Space,
    peers: &[Peer],
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<u64, BootstrapError> {
    let into = space.clone();
    let holes: BTreeSet<ValueName> = blocking(move || into.holes()).await??.into_iter().collect();
    if holes.is_empty() {
        return Ok(0);
    }
    let holder = |peer: &Peer| Holder { peer: peer.clone(), offered: false };
    let holders: Vec<Holder> = peers.iter().map(holder).collect();
    let into = space.clone();
    let keep = move |values: Vec<Value>| into.fill_holes(&values);
    Ok(fetch_with(&holders, space.id(), holes, keep, faults, progress).await?.values)
}
