//! Making trees: all at once, or from another by replacing and inserting entries.

use std::ops::Range;

use crate::{item::Entry, key::Key, F};

use super::{
    chain::{fold_page, leaf_items},
    cursor::Cursor,
    error::{Misfit, TreeError},
    page::{Child, Page, ROOT_RANK},
    place::{load, Place},
    store::PageStore,
};

/// A new tree: what to add to a store that has the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The new root.
    pub root: F,
    /// The pages that the old tree does not have, with their names, children before parents: a
    /// store that writes them in this order never holds a page without those below it.
    pub pages: Vec<(F, Page)>,
    /// The pages of the old tree that the new one does not have.
    pub replaced: Vec<F>,
}

/// Builds a tree from all its entries, sentinels included, in the order of their keys.
///
/// # Panics
/// If they are not that; for entries that are not the caller's own there is [`try_build`].
pub fn build(entries: &[Entry]) -> Update {
    try_build(entries).expect("the caller gives sorted entries between the sentinels")
}

/// [`build`] of entries that may be in disorder.
///
/// # Errors
/// [`TreeError::NoSentinels`] and [`TreeError::Unsorted`].
pub fn try_build(entries: &[Entry]) -> Result<Update, TreeError> {
    let bounded = entries.len() > 1
        && entries.first() == Some(&Entry::start_sentinel())
        && entries.last() == Some(&Entry::end_sentinel());
    if !bounded {
        return Err(TreeError::NoSentinels);
    }
    check_sorted(entries)?;
    let mut pages = Vec::new();
    let mut items = cut_leaves(entries, &mut pages);
    for rank in 1..=ROOT_RANK {
        items = cut_internal(rank, &items, &mut pages);
    }
    Ok(Update { root: items[0].digest, pages, replaced: Vec::new() })
}

/// Replaces or inserts entries. Opens only the pages on the way to them and recomputes each once,
/// however many upserts fall into it. Stamps are not compared: that is the fold's business.
///
/// # Errors
/// [`TreeError::Unsorted`] if the upserts' keys do not grow strictly, [`TreeError::Sentinel`] if
/// one is a sentinel's; otherwise [`TreeError`] if a page is missing or misplaced.
pub fn update<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    upserts: &[Entry],
) -> Result<Update, TreeError> {
    check_sorted(upserts)?;
    for (index, Entry { key, .. }) in upserts.iter().enumerate() {
        if *key == Key::START || *key == Key::END {
            return Err(TreeError::Sentinel { index, key: Box::new(*key) });
        }
    }
    let mut work = Work { store, root, pages: Vec::new(), replaced: Vec::new() };
    let root = match upserts {
        [] => root,
        _ => work.change(&Place::root(root), upserts)?[0].digest,
    };
    Ok(Update { root, pages: work.pages, replaced: work.replaced })
}

fn check_sorted(entries: &[Entry]) -> Result<(), TreeError> {
    match entries.windows(2).position(|pair| pair[0].key >= pair[1].key) {
        None => Ok(()),
        Some(left) => {
            let index = left + 1;
            Err(TreeError::Unsorted { index, key: Box::new(entries[index].key) })
        }
    }
}

/// An item of the tree that is being made. Its height is not capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Made {
    digest: F,
    height: usize,
    last_key: Key,
}

/// Cuts a run of entries that ends where a leaf page ends into leaf pages.
fn cut_leaves(entries: &[Entry], pages: &mut Vec<(F, Page)>) -> Vec<Made> {
    let made = |(entry, (digest, height)): (&Entry, (F, usize))| Made {
        digest,
        height,
        last_key: entry.key,
    };
    let items: Vec<Made> = entries.iter().zip(leaf_items(entries)).map(made).collect();
    cut(0, &items, pages, |range| Page::Leaf(entries[range].to_vec()))
}

/// Cuts a run of items of level 3 * rank that ends where a page of this rank ends.
fn cut_internal(rank: u8, items: &[Made], pages: &mut Vec<(F, Page)>) -> Vec<Made> {
    let child = |item: &Made| Child {
        digest: item.digest,
        height: item.height.min(Page::cap(rank)) as u8,
        last_key: item.last_key,
    };
    cut(rank, items, pages, |range| Page::Internal {
        rank,
        children: items[range].iter().map(child).collect(),
    })
}

fn cut(
    rank: u8,
    items: &[Made],
    pages: &mut Vec<(F, Page)>,
    page: impl Fn(Range<usize>) -> Page,
) -> Vec<Made> {
    let ends = |item: &Made| rank < ROOT_RANK && item.height >= Page::cap(rank);
    let mut upper = Vec::new();
    let mut first = 0;
    for run in items.split_inclusive(ends) {
        let last = run[run.len() - 1];
        let lowest: Vec<_> = run.iter().map(|item| (item.digest, item.height)).collect();
        let digest = fold_page(rank, &lowest).name;
        pages.push((digest, page(first..first + run.len())));
        upper.push(Made { digest, ..last });
        first += run.len();
    }
    upper
}

struct Work<'s, S: PageStore + ?Sized> {
    store: &'s S,
    root: F,
    pages: Vec<(F, Page)>,
    replaced: Vec<F>,
}

impl<S: PageStore + ?Sized> Work<'_, S> {
    /// Applies upserts, at least one and all inside the place's keys, to the page at `place`.
    /// Returns the items that stand for it in the new tree.
    fn change(&mut self, place: &Place, upserts: &[Entry]) -> Result<Vec<Made>, TreeError> {
        let page = load(self.store, place)?;
        let stays = Made { digest: place.name, height: place.height, last_key: place.last_key };
        let items = match &*page {
            Page::Leaf(entries) => {
                if upserts[0].key < entries[0].key {
                    // Is this really the leaf for it? Seeking opens the one before.
                    Cursor::seek(self.store, self.root, &upserts[0].key)?;
                }
                let merged = merge(entries, upserts);
                if merged == *entries {
                    return Ok(vec![stays]);
                }
                cut_leaves(&merged, &mut self.pages)
            }
            Page::Internal { rank, children } => {
                let mut items = Vec::with_capacity(children.len());
                let mut changed = false;
                let mut rest = upserts;
                for below in place.children(&page) {
                    let here = rest.partition_point(|e| e.key <= below.last_key);
                    let (here, behind) = rest.split_at(here);
                    rest = behind;
                    let Place { name: digest, height, last_key, .. } = below;
                    let old = Made { digest, height, last_key };
                    if here.is_empty() {
                        items.push(old);
                    } else {
                        let new = self.change(&below, here)?;
                        changed |= new != [old];
                        items.extend(new);
                    }
                }
                if !changed {
                    return Ok(vec![stays]);
                }
                cut_internal(*rank, &items, &mut self.pages)
            }
        };
        // The last key is the old one, so its height is what the pages above said.
        if items.last().is_none_or(|last| last.height != place.height) {
            return Err(TreeError::Misplaced { name: place.name, misfit: Misfit::Height });
        }
        // Inserted entries that end a page can leave the page behind them as it was.
        let first = self.pages.len() - items.len();
        match self.pages[first..].iter().position(|(name, _)| *name == place.name) {
            Some(same) => drop(self.pages.remove(first + same)),
            None => self.replaced.push(place.name),
        }
        Ok(items)
    }
}

/// Both lists in one, the upsert where a key is in both.
fn merge(entries: &[Entry], upserts: &[Entry]) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(entries.len() + upserts.len());
    let mut upserts = upserts.iter().peekable();
    for entry in entries {
        while let Some(upsert) = upserts.next_if(|u| u.key < entry.key) {
            merged.push(*upsert);
        }
        merged.push(*upserts.next_if(|u| u.key == entry.key).unwrap_or(entry));
    }
    merged.extend(upserts);
    merged
}
