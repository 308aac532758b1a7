//! The pages of a proved tree, from its root down.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rootfold_core::{
    field,
    item::Entry,
    key::{Key, KeyKind},
    tree::{self, Misfit, Overlay, Page, PageStore, TreeError, ROOT_RANK},
    F,
};
use rootfold_light::{reply::ReceivedPage, snapshot::SnapshotHeader, values::ValueName};

use super::{
    blocking,
    fetch::{Ask, Fetch, Named},
    BootstrapError,
};
use crate::{
    client::{Peer, PeerCause, PeerError},
    progress::{Event, Progress},
    space::{self, Pages},
    store::{records::value_key, Batch, Column, Durability, Store},
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
    // In a tree a name stands in one place, since keys are part of leaves. Pages of somebody's making
    // can name each other any number of times.
    let mut ranks = BTreeMap::new();
    let mut done = 0;
    let mut below = vec![(root, ROOT_RANK)];
    loop {
        for (name, rank) in missing(store.clone(), root, below).await? {
            if ranks.insert(name, rank).is_none() {
                fetch.want(name);
            }
        }
        progress.on(Event::Pages { done, known: ranks.len() as u64 });
        let Some((peer, pages)) = fetch.next().await? else { break };
        done += pages.len() as u64;
        below = Vec::new();
        for received in &pages {
            senders.insert(received.name, peer.address().to_owned());
            let rank = ranks.get(&received.name).copied().unwrap_or(ROOT_RANK);
            below.extend(children(&received.name, &received.page, rank).map_err(not_a_tree(root))?);
        }
        keep(store.clone(), pages).await?;
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

/// The pages that are not in the store, of those given with their ranks and all below those that
/// are.
async fn missing(
    store: Arc<dyn Store>,
    root: F,
    mut looked_for: Vec<(F, u8)>,
) -> Result<Vec<(F, u8)>, BootstrapError> {
    let found = blocking(move || {
        let pages = Pages::new(store);
        let (mut missing, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some((name, rank)) = looked_for.pop() {
            if !seen.insert(name) {
                continue;
            }
            match pages.read(&name)? {
                None => missing.push((name, rank)),
                Some(page) => {
                    looked_for.extend(children(&name, &page, rank).map_err(not_a_tree(root))?);
                }
            }
        }
        Ok::<_, BootstrapError>(missing)
    });
    found.await?
}

/// The pages below a page and their rank, if it has itself the rank that its parent gives it. So no
/// way down is longer than a tree is high.
fn children(name: &F, page: &Page, rank: u8) -> Result<Vec<(F, u8)>, TreeError> {
    if page.rank() != rank {
        return Err(TreeError::Misplaced { name: *name, misfit: Misfit::Rank });
    }
    let below = rank.saturating_sub(1);
    Ok(page.children().iter().map(|child| (child.digest, below)).collect())
}

/// What a wrong tree under a root means.
fn not_a_tree(root: F) -> impl Fn(TreeError) -> BootstrapError {
    move |source| match source {
        TreeError::Store(e) => BootstrapError::Tree(Box::new(TreeError::Store(e))),
        source => BootstrapError::NotATree { root, source: Box::new(source) },
    }
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
    let not_a_tree = not_a_tree(root);
    let mut overlay = Overlay::new(Pages::new(store.clone()));
    let mut hints = Hints { pages: &overlay.below, known: BTreeMap::new(), repaired: Vec::new() };
    hints.true_last_key(&root, ROOT_RANK).map_err(&not_a_tree)?;
    let repaired = hints.repaired;
    for (name, page) in &repaired {
        let put = overlay.above.put(page.clone());
        put.map_err(|source| not_a_tree(TreeError::Page { name: *name, source }))?;
    }
    let mut tree = Tree { entries: 0, heads: Vec::new(), values: BTreeSet::new(), repaired };
    for page in tree::pages_below(&overlay, root) {
        let (_, page) = page.map_err(&not_a_tree)?;
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

/// Hints are not bound by a page's name; this finds the right ones.
struct Hints<'a> {
    pages: &'a Pages,
    /// Last keys found so far. Each page is looked at once, however often it is named.
    known: BTreeMap<F, Key>,
    /// Pages whose hints are wrong, with the right ones.
    repaired: Vec<(F, Page)>,
}

impl Hints<'_> {
    /// The last key below a page, from the leaves up.
    fn true_last_key(&mut self, name: &F, rank: u8) -> Result<Key, TreeError> {
        if let Some(key) = self.known.get(name) {
            return Ok(*key);
        }
        let missing = TreeError::Missing { name: *name, rank };
        let page = self.pages.page(name)?.ok_or(missing)?;
        children(name, &page, rank)?;
        let last = match &*page {
            Page::Leaf(entries) => {
                let empty = TreeError::Page { name: *name, source: tree::PageError::Empty };
                entries.last().map(|entry| entry.key).ok_or(empty)?
            }
            Page::Internal { rank: own, children } => {
                let mut right = children.clone();
                for child in &mut right {
                    child.last_key = self.true_last_key(&child.digest, rank.saturating_sub(1))?;
                }
                let last = right.last().map_or(Key::END, |child| child.last_key);
                if right != *children {
                    self.repaired.push((*name, Page::Internal { rank: *own, children: right }));
                }
                last
            }
        };
        self.known.insert(*name, last);
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use rootfold_core::tree::{Child, PageError};

    use super::*;
    use crate::store::MemoryStore;

    /// A store of pages of somebody's making: the root page and `below` a leaf and page by page, each
    /// of the given rank and with that many times the page before it as its child.
    fn made_up(below: &[(u8, u8)]) -> (Arc<dyn Store>, F) {
        let mut batch = Batch::new();
        let leaf = Page::Leaf(vec![Entry::start_sentinel(), Entry::end_sentinel()]);
        let mut name = leaf.name().unwrap();
        Pages::stage(&mut batch, &name, &leaf);
        for (rank, times) in below {
            let (low, high) = (3 * rank, Page::cap(*rank) as u8);
            let child = |number: u8| Child {
                digest: name,
                height: if number + 1 == *times || *rank == ROOT_RANK { high } else { low },
                last_key: Key::user(&[number]).unwrap(),
            };
            let page = Page::Internal { rank: *rank, children: (0..*times).map(child).collect() };
            name = page.name().unwrap();
            Pages::stage(&mut batch, &name, &page);
        }
        let store = MemoryStore::new();
        store.write(batch, Durability::Buffered).unwrap();
        (Arc::new(store), name)
    }

    fn refused(store: Arc<dyn Store>, root: F) -> Misfit {
        match survey(store, root).err().unwrap() {
            BootstrapError::NotATree { source, .. } => match *source {
                TreeError::Misplaced { misfit, .. } => misfit,
                // Put right, the hints of one page are all the same.
                TreeError::Page { source: PageError::Unsorted { .. }, .. } => Misfit::LastKey,
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        }
    }

    fn missing_now(store: Arc<dyn Store>, root: F) -> Result<Vec<(F, u8)>, BootstrapError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(missing(store, root, vec![(root, ROOT_RANK)]))
    }

    /// There are 1.6 billion ways down.
    #[test]
    fn pages_that_name_each_other_many_times_are_looked_at_once() {
        let (store, root) = made_up(&[(1, 200), (2, 200), (3, 200), (4, 200)]);
        assert_eq!(missing_now(store.clone(), root).unwrap(), []);
        assert_eq!(refused(store, root), Misfit::LastKey);
    }

    /// One way down, and longer than any stack.
    #[test]
    fn a_chain_of_pages_is_no_tree() {
        let chain: Vec<(u8, u8)> = std::iter::repeat_n((1, 1), 20_000).chain([(4, 1)]).collect();
        let (store, root) = made_up(&chain);
        let endless = missing_now(store.clone(), root).unwrap_err();
        assert!(matches!(endless, BootstrapError::NotATree { .. }), "{endless}");
        assert_eq!(refused(store, root), Misfit::Rank);
    }
}
