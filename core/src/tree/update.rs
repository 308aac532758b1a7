//! Building a tree, and updating one by replacing and inserting entries.

use std::ops::Range;

use crate::{item::Entry, key::Key, F};

use super::{
    chain::{fold_page, leaf_items},
    error::{Misfit, TreeError},
    limits::ROOT_RANK,
    page::{Child, Page},
    place::{load, Place},
    position::Position,
    store::{PageStore, Update},
};

/// Builds a tree from all its entries, in key order, including the sentinels.
///
/// # Panics
/// If a sentinel is missing or the entries are not in order. For untrusted entries use
/// [`try_build`].
pub fn build(entries: &[Entry]) -> Update {
    try_build(entries).expect("the caller gives sorted entries between the sentinels")
}

/// [`build`] of untrusted entries.
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

/// Replaces or inserts entries. Loads only the pages on the paths to them, and recomputes each of
/// these pages once. Does not compare stamps: [`fold`](crate::fold::fold) does.
///
/// # Errors
/// [`TreeError::Unsorted`] if the keys of the upserts do not increase strictly,
/// [`TreeError::Sentinel`] if an upsert is a sentinel; otherwise [`TreeError`] if a page is missing or
/// misplaced.
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

/// An item of the new tree. Its height is not capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Made {
    digest: F,
    height: usize,
    last_key: Key,
}

/// Cuts entries into leaf pages. The last entry ends a page.
fn cut_leaves(entries: &[Entry], pages: &mut Vec<(F, Page)>) -> Vec<Made> {
    let made = |(entry, (digest, height)): (&Entry, (F, usize))| Made {
        digest,
        height,
        last_key: entry.key,
    };
    let items: Vec<Made> = entries.iter().zip(leaf_items(entries)).map(made).collect();
    cut(0, &items, pages, |range| Page::Leaf(entries[range].to_vec()))
}

/// Cuts items of level `3 * rank` into pages of this rank. The last item ends a page.
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
    /// Applies upserts to the page at `place`. There is at least one upsert, and all are in the key
    /// range of the place. Returns the items that replace the page in the new tree.
    fn change(&mut self, place: &Place, upserts: &[Entry]) -> Result<Vec<Made>, TreeError> {
        let page = load(self.store, place)?;
        let stays = Made { digest: place.name, height: place.height, last_key: place.last_key };
        let items = match &*page {
            Page::Leaf(entries) => {
                if upserts[0].key < entries[0].key {
                    // Loads the previous leaf too, to check that the key belongs to this one.
                    Position::seek(self.store, self.root, &upserts[0].key)?;
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
                    let (here, following) = rest.split_at(here);
                    rest = following;
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
        // The last key is unchanged, so its height is the one in the ancestors.
        if items.last().is_none_or(|last| last.height != place.height) {
            return Err(TreeError::Misplaced { name: place.name, misfit: Misfit::Height });
        }
        // If an inserted entry ends a page, the page after it can be the old one.
        let first = self.pages.len() - items.len();
        match self.pages[first..].iter().position(|(name, _)| *name == place.name) {
            Some(same) => drop(self.pages.remove(first + same)),
            None => self.replaced.push(place.name),
        }
        Ok(items)
    }
}

/// Merges both lists. An upsert replaces the entry of its key.
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
