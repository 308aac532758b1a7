//! The pages of a proved tree, from its root down.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rootfold_core::{
    field,
    item::Entry,
    key::{Key, KeyKind},
    tree::{self, Overlay, Page, PageStore, TreeError, ROOT_RANK},
    F,
};

use super::{
    blocking,
    fetch::{Ask, Fetch, Named},
    BootstrapError,
};
use crate::{
    client::{Peer, PeerCause, PeerError, ReceivedPage},
    codec::value_key,
    pages::Pages,
    progress::{Event, Progress},
    snapshot::SnapshotHeader,
    space,
    store::{Batch, Column, Durability, Store, StoreError},
    values::ValueName,
};

impl Named<F> for ReceivedPage {
    fn name(&self) -> F {
        self.name
    }
}

/// What the pages came to.
pub(super) struct Fetched {
    pub(super) tree: Tree,
    pub(super) pages: u64,
}

/// A whole tree, as far as it matters for what follows.
pub(super) struct Tree {
    /// Entries but for the sentinels.
    pub(super) entries: u64,
    /// The head entries.
    pub(super) heads: Vec<Entry>,
    /// Values that are not in the store yet.
    pub(super) values: BTreeSet<ValueName>,
    /// Pages whose hints were wrong, put right.
    pub(super) repaired: Vec<(F, Page)>,
}

/// Fetches every page of the snapshot's tree that is not in the store yet.
pub(super) async fn fetch(
    peers: &[Peer],
    header: &SnapshotHeader,
    store: Arc<dyn Store>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Fetched, BootstrapError> {
    let SnapshotHeader { space, root, .. } = *header;
    let ask: Ask<F, ReceivedPage> =
        Arc::new(move |peer, names| Box::pin(async move { peer.pages(space, &names).await }));
    let mut senders: BTreeMap<F, String> = BTreeMap::new();
    let mut fetch = Fetch::new("pages", peers, ask, faults);
    let (mut done, mut known) = (0, 0);
    for name in missing(store.clone(), vec![root]).await? {
        known += 1;
        fetch.want(name);
    }
    while let Some((peer, pages)) = fetch.next().await? {
        done += pages.len() as u64;
        let mut below = Vec::new();
        for received in &pages {
            senders.insert(received.name, peer.address().to_owned());
            below.extend(received.page.children().iter().map(|child| child.digest));
        }
        keep(store.clone(), pages).await?;
        // Keys are part of leaves, so a name stands in one place of a tree: nothing is asked twice.
        for name in missing(store.clone(), below).await? {
            known += 1;
            fetch.want(name);
        }
        progress.on(Event::Pages { done, known });
    }
    let tree = blocking(move || survey(store, root)).await??;
    for (name, _) in &tree.repaired {
        if let Some(peer) = senders.get(name) {
            let cause = PeerCause::Hints { page: field::to_hex(name) };
            let fault = PeerError { peer: peer.clone(), cause: Box::new(cause) };
            tracing::warn!(error = %fault, "put right");
            faults.push(fault);
        }
    }
    Ok(Fetched { tree, pages: done })
}

/// The pages that are not in the store, of those given and all below those that are.
async fn missing(store: Arc<dyn Store>, mut looked_for: Vec<F>) -> Result<Vec<F>, BootstrapError> {
    let found = blocking(move || {
        let pages = Pages::new(store);
        let mut missing = Vec::new();
        while let Some(name) = looked_for.pop() {
            match pages.read(&name)? {
                None => missing.push(name),
                Some(page) => looked_for.extend(page.children().iter().map(|c| c.digest)),
            }
        }
        Ok::<_, StoreError>(missing)
    });
    Ok(found.await??)
}

/// Writes checked pages and the values that came in them.
async fn keep(store: Arc<dyn Store>, pages: Vec<ReceivedPage>) -> Result<(), BootstrapError> {
    let kept = blocking(move || {
        let mut batch = Batch::new();
        for ReceivedPage { name, page, values } in &pages {
            Pages::stage(&mut batch, name, page);
            values.iter().for_each(|value| space::stage_value(&mut batch, value));
        }
        // Lost in a power cut they are fetched again.
        store.write(batch, Durability::Buffered)
    });
    Ok(kept.await??)
}

/// Puts hints right, checks that the pages are a tree, and lists what it needs.
fn survey(store: Arc<dyn Store>, root: F) -> Result<Tree, BootstrapError> {
    let not_a_tree = |source| match source {
        TreeError::Store(e) => BootstrapError::Tree(Box::new(TreeError::Store(e))),
        source => BootstrapError::NotATree { root, source: Box::new(source) },
    };
    let mut overlay = Overlay::new(Pages::new(store.clone()));
    let mut repaired = Vec::new();
    true_last_key(&overlay.below, &root, ROOT_RANK, &mut repaired).map_err(not_a_tree)?;
    for (name, page) in &repaired {
        let put = overlay.above.put(page.clone());
        put.map_err(|source| not_a_tree(TreeError::Page { name: *name, source }))?;
    }
    let mut tree = Tree { entries: 0, heads: Vec::new(), values: BTreeSet::new(), repaired };
    for page in tree::pages_below(&overlay, root) {
        let (_, page) = page.map_err(not_a_tree)?;
        for entry in page.entries() {
            tree.entries += u64::from(space::counts(entry));
            if matches!(entry.key.kind(), KeyKind::Head(_)) {
                tree.heads.push(*entry);
            }
            let Some(name) = ValueName::of_entry(entry) else { continue };
            if store.get(Column::Values, &value_key(&name))?.is_none() {
                tree.values.insert(name);
            }
        }
    }
    Ok(tree)
}

/// The last key below a page, from the leaves up. Hints are not bound by a page's name; where one
/// is wrong the page is added to `repaired` with the right ones.
fn true_last_key(
    pages: &Pages,
    name: &F,
    rank: u8,
    repaired: &mut Vec<(F, Page)>,
) -> Result<Key, TreeError> {
    let missing = TreeError::Missing { name: *name, rank };
    let page = pages.page(name)?.ok_or(missing)?;
    let children = match &*page {
        Page::Leaf(entries) => {
            let empty = TreeError::Page { name: *name, source: tree::PageError::Empty };
            return entries.last().map(|entry| entry.key).ok_or(empty);
        }
        Page::Internal { children, .. } => children,
    };
    let mut right = children.clone();
    for child in &mut right {
        child.last_key = true_last_key(pages, &child.digest, rank.saturating_sub(1), repaired)?;
    }
    let last = right.last().map_or(Key::END, |child| child.last_key);
    if right != *children {
        repaired.push((*name, Page::Internal { rank: page.rank(), children: right }));
    }
    Ok(last)
}
