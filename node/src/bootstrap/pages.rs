//! The pages of a proved tree, from the root down.

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
use rootfold_light::{response::ReceivedPage, snapshot::SnapshotHeader, values::ValueName};

use super::{
    blocking,
    fetch::{Ask, Fetch, Holder, Named, Next},
    BootstrapError,
};
use crate::{
    client::{PeerCause, PeerError},
    progress::{Event, Progress},
    space::{self, Pages, Space},
    store::{Batch, Durability, Store, StoreError},
};

impl Named<F> for ReceivedPage {
    fn name(&self) -> F {
        self.name
    }
}

/// The fetched tree.
pub(super) struct Fetched {
    pub(super) tree: Tree,
    pub(super) pages: u64,
}

/// The result of fetching pages.
pub(super) enum Pulled {
    /// The tree is complete.
    Tree(Fetched),
    /// No peer sends this number of its pages. Those that came are stored.
    Withheld(usize),
}

/// What a bootstrap needs to know of a complete tree.
pub(super) struct Tree {
    /// The number of entries without the sentinels.
    pub(super) entries: u64,
    /// The head entries.
    pub(super) heads: Vec<Entry>,
    /// The names of values that are not in the store.
    pub(super) values: BTreeSet<ValueName>,
    /// Pages with corrected separator keys.
    pub(super) repaired: Vec<(F, Page)>,
}

/// Fetches all pages of the snapshot's tree that are not in the store.
pub(super) async fn fetch(
    holders: &[Holder],
    header: &SnapshotHeader,
    store: Arc<dyn Store>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Pulled, BootstrapError> {
    let root = header.root;
    let senders = match arrive(holders, header, store.clone(), None, faults, progress).await? {
        Arrived::All(senders) => senders,
        Arrived::Withheld(pages) => return Ok(Pulled::Withheld(pages)),
    };
    let tree = blocking(move || survey(store, root)).await??;
    blame(&tree.repaired, &senders, faults);
    Ok(Pulled::Tree(Fetched { tree, pages: senders.len() as u64 }))
}

/// What was fetched of a tree whose other pages this node holds as parts of its own states.
pub(super) struct FetchedBeside {
    /// The names of the pages.
    pub(super) pages: Vec<F>,
    /// The names of values of their entries that are not in the store.
    pub(super) values: BTreeSet<ValueName>,
    /// Pages with corrected separator keys.
    pub(super) repaired: Vec<(F, Page)>,
}

/// Fetches the pages of a proved tree that the states of a space do not have. Takes a time in proportion
/// to these. `None` if no peer sends some of them. The caller has pinned the root.
pub(super) async fn fetch_beside(
    space: &Space,
    holders: &[Holder],
    header: &SnapshotHeader,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Option<FetchedBeside>, BootstrapError> {
    let (root, store) = (header.root, space.store_handle());
    let held = Held { space: space.clone(), roots: space.roots() };
    let arrived = arrive(holders, header, store, Some(held.clone()), faults, progress).await?;
    let Arrived::All(senders) = arrived else { return Ok(None) };
    let pages: Vec<F> = senders.keys().copied().collect();
    let beside = blocking(move || survey_beside(&held, root, pages)).await??;
    blame(&beside.repaired, &senders, faults);
    Ok(Some(beside))
}

/// The trees that a space holds.
#[derive(Clone)]
struct Held {
    space: Space,
    roots: Vec<F>,
}

impl Held {
    /// Whether the space holds everything below a page.
    fn covers(&self, name: &F, page: &Page) -> Result<bool, StoreError> {
        self.space.reaches(&self.roots, name, page)
    }
}

/// The result of fetching pages.
enum Arrived {
    /// Who has sent each page.
    All(BTreeMap<F, Arc<str>>),
    /// No peer sends this number of pages.
    Withheld(usize),
}

/// Fetches all pages below a root that are neither in the store nor below a page that is `held`.
async fn arrive(
    holders: &[Holder],
    header: &SnapshotHeader,
    store: Arc<dyn Store>,
    held: Option<Held>,
    faults: &mut Vec<PeerError>,
    progress: &dyn Progress,
) -> Result<Arrived, BootstrapError> {
    let SnapshotHeader { space, root, .. } = *header;
    let ask: Ask<F, ReceivedPage> =
        Arc::new(move |peer, names| Box::pin(async move { peer.pages(space, &names).await }));
    let mut senders: BTreeMap<F, Arc<str>> = BTreeMap::new();
    let mut fetch = Fetch::new("pages", holders, ask, faults);
    // In a tree every name occurs once, since leaves contain their keys. Crafted pages can refer to
    // each other any number of times, so each name is fetched once.
    let mut ranks = BTreeMap::new();
    let mut done = 0;
    let mut below = vec![(root, ROOT_RANK)];
    loop {
        for (name, rank) in missing(store.clone(), held.clone(), root, below).await? {
            if ranks.insert(name, rank).is_none() {
                fetch.want(name);
            }
        }
        progress.on(Event::Pages { done, known: ranks.len() as u64 });
        let (peer, pages) = match fetch.next().await? {
            Next::Items(peer, pages) => (peer, pages),
            Next::Done => break,
            Next::Nobody(names) => return Ok(Arrived::Withheld(names.len())),
        };
        done += pages.len() as u64;
        below = Vec::new();
        for received in &pages {
            senders.insert(received.name, peer.clone());
            let rank = ranks.get(&received.name).copied().unwrap_or(ROOT_RANK);
            below.extend(children(&received.name, &received.page, rank).map_err(not_a_tree(root))?);
        }
        keep(store.clone(), pages).await?;
    }
    Ok(Arrived::All(senders))
}

/// Names the peers that sent wrong separator keys.
fn blame(repaired: &[(F, Page)], senders: &BTreeMap<F, Arc<str>>, faults: &mut Vec<PeerError>) {
    for (name, _) in repaired {
        if let Some(peer) = senders.get(name) {
            let cause = PeerCause::Hints { page: field::to_hex(name) };
            let fault = PeerError { peer: peer.to_string(), cause: Box::new(cause) };
            tracing::warn!(event = "page-corrected", error = %fault, "corrected the separator keys of a page");
            faults.push(fault);
        }
    }
}

/// The pages that are not in the store, among the given ones and those below them, with their ranks.
/// Nothing is missing below a page that is `held`.
async fn missing(
    store: Arc<dyn Store>,
    held: Option<Held>,
    root: F,
    mut waiting: Vec<(F, u8)>,
) -> Result<Vec<(F, u8)>, BootstrapError> {
    let found = blocking(move || {
        let pages = Pages::new(store);
        let (mut missing, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some((name, rank)) = waiting.pop() {
            if !seen.insert(name) {
                continue;
            }
            match pages.read(&name)? {
                None => missing.push((name, rank)),
                Some(page)
                    if held.as_ref().map_or(Ok(false), |held| held.covers(&name, &page))? => {}
                Some(page) => {
                    waiting.extend(children(&name, &page, rank).map_err(not_a_tree(root))?);
                }
            }
        }
        Ok::<_, BootstrapError>(missing)
    });
    found.await?
}

/// The names and the rank of the pages below a page.
///
/// # Errors
/// [`TreeError::Misplaced`] if the page does not have `rank`: so no path is longer than the height of a
/// tree.
fn children(name: &F, page: &Page, rank: u8) -> Result<Vec<(F, u8)>, TreeError> {
    if page.rank() != rank {
        return Err(TreeError::Misplaced { name: *name, misfit: Misfit::Rank });
    }
    let below = rank.saturating_sub(1);
    Ok(page.children().iter().map(|child| (child.digest, below)).collect())
}

/// An error of the pages below `root`, unless the store failed.
fn not_a_tree(root: F) -> impl Fn(TreeError) -> BootstrapError {
    move |source| match source {
        TreeError::Store(e) => BootstrapError::Tree(Box::new(TreeError::Store(e))),
        source => BootstrapError::NotATree { root, source: Box::new(source) },
    }
}

/// Stores checked pages and their inline values.
async fn keep(store: Arc<dyn Store>, pages: Vec<ReceivedPage>) -> Result<(), BootstrapError> {
    let kept = blocking(move || {
        let mut batch = Batch::new();
        for ReceivedPage { name, page, values } in &pages {
            Pages::stage(&mut batch, name, page);
            for entry in page.entries() {
                if let Some(value) = ValueName::of_entry(entry) {
                    space::garbage::stage_entry_reference(&mut batch, &entry.key, &value);
                }
            }
            values.iter().for_each(|value| space::stage_value(&mut batch, value));
        }
        // A resumed bootstrap fetches what a power failure loses.
        store.write(batch, Durability::Buffered)
    });
    Ok(kept.await??)
}

/// Corrects separator keys, checks that the pages are a tree, and lists its heads and missing values.
fn survey(store: Arc<dyn Store>, root: F) -> Result<Tree, BootstrapError> {
    let not_a_tree = not_a_tree(root);
    let mut overlay = Overlay::new(Pages::new(store.clone()));
    let repaired = repair(&overlay.below, None, root).map_err(&not_a_tree)?;
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
            if !space::holds_value(&*store, &name)? {
                tree.values.insert(name);
            }
        }
    }
    Ok(tree)
}

/// Corrects separator keys of fetched pages, and lists the missing values of their entries.
fn survey_beside(held: &Held, root: F, pages: Vec<F>) -> Result<FetchedBeside, BootstrapError> {
    let (store, space) = (held.space.store(), &held.space);
    let repaired = repair(space.pages(), Some(held), root).map_err(not_a_tree(root))?;
    let mut values = BTreeSet::new();
    for name in &pages {
        let page = space.pages().read(name)?;
        for entry in page.iter().flat_map(|page| page.entries()) {
            let Some(name) = ValueName::of_entry(entry) else { continue };
            if !space::holds_value(store, &name)? {
                values.insert(name);
            }
        }
    }
    Ok(FetchedBeside { pages, values, repaired })
}

/// The pages below a root with wrong separator keys, corrected.
fn repair(pages: &Pages, held: Option<&Held>, root: F) -> Result<Vec<(F, Page)>, TreeError> {
    let mut hints = Hints { pages, held, known: BTreeMap::new(), repaired: Vec::new() };
    hints.true_last_key(&root, ROOT_RANK)?;
    Ok(hints.repaired)
}

/// Recomputes separator keys, which the names of pages do not bind.
struct Hints<'a> {
    pages: &'a Pages,
    /// Pages below which all separator keys are right.
    held: Option<&'a Held>,
    /// The last keys below the pages visited so far. Each page is visited once.
    known: BTreeMap<F, Key>,
    /// Pages with wrong separator keys, corrected.
    repaired: Vec<(F, Page)>,
}

impl Hints<'_> {
    /// The last key below a page.
    fn true_last_key(&mut self, name: &F, rank: u8) -> Result<Key, TreeError> {
        if let Some(key) = self.known.get(name) {
            return Ok(*key);
        }
        let missing = TreeError::Missing { name: *name, rank };
        let page = self.pages.page(name)?.ok_or(missing)?;
        children(name, &page, rank)?;
        let is_held = self.held.map_or(Ok(false), |held| held.covers(name, &page));
        let is_held = is_held.map_err(|e| TreeError::Store(tree::StoreError::new(e)))?;
        let last = match &*page {
            Page::Internal { .. } if is_held => page.last_key().unwrap_or(Key::END),
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

    /// A store of crafted pages: a leaf, and for each pair a page of this rank whose children are that
    /// many times the page before it. The last page is the root.
    fn crafted(below: &[(u8, u8)]) -> (Arc<dyn Store>, F) {
        let mut batch = Batch::new();
        let leaf = Page::Leaf(vec![Entry::start_sentinel(), Entry::end_sentinel()]);
        let mut name = leaf.name().unwrap();
        Pages::stage(&mut batch, &name, &leaf);
        for (rank, times) in below {
            let (low, high) = (3 * rank, Page::cap(*rank) as u8);
            let child = |number: u8| Child {
                digest: name,
                height: if number + 1 == *times || *rank == ROOT_RANK { high } else { low },
                last_key: Key::shared(&[number]).unwrap(),
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
                // The corrected separator keys of one page are all equal.
                TreeError::Page { source: PageError::Unsorted { .. }, .. } => Misfit::LastKey,
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        }
    }

    fn missing_now(store: Arc<dyn Store>, root: F) -> Result<Vec<(F, u8)>, BootstrapError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(missing(store, None, root, vec![(root, ROOT_RANK)]))
    }

    /// There are 1.6 billion paths.
    #[test]
    fn pages_that_are_named_many_times_are_visited_once() {
        let (store, root) = crafted(&[(1, 200), (2, 200), (3, 200), (4, 200)]);
        assert_eq!(missing_now(store.clone(), root).unwrap(), []);
        assert_eq!(refused(store, root), Misfit::LastKey);
    }

    /// One path, longer than any stack.
    #[test]
    fn a_chain_of_pages_is_not_a_tree() {
        let chain: Vec<(u8, u8)> = std::iter::repeat_n((1, 1), 20_000).chain([(4, 1)]).collect();
        let (store, root) = crafted(&chain);
        let endless = missing_now(store.clone(), root).unwrap_err();
        assert!(matches!(endless, BootstrapError::NotATree { .. }), "{endless}");
        assert_eq!(refused(store, root), Misfit::Rank);
    }
}
