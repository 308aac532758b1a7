//! The differences between two trees.

use std::cmp::Ordering;

use crate::{item::Entry, key::Key, F};

use super::{
    error::TreeError,
    page::Page,
    place::{load, Place},
    store::PageStore,
};

/// A key whose entries differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: Key,
    /// Its entry in the first tree.
    pub before: Option<Entry>,
    /// Its entry in the second tree.
    pub after: Option<Entry>,
}

/// The differences between two trees in key order. Pages that both trees have are not loaded.
pub fn diff<S: PageStore + ?Sized>(store: &S, before: F, after: F) -> Diff<'_, S> {
    let start = |root| vec![Part::Page(Place::root(root))];
    Diff { store, before: start(before), after: start(after) }
}

/// The differences in key order ([`diff`]). Ends after the first error.
pub struct Diff<'s, S: PageStore + ?Sized> {
    store: &'s S,
    /// The parts that are not compared yet, in reverse order.
    before: Vec<Part>,
    after: Vec<Part>,
}

enum Part {
    Page(Place),
    Entry(Entry),
}

/// The next action, which depends on the first parts of both trees.
enum Next {
    SkipBoth,
    Both(Entry, Entry),
    OnlyBefore(Entry),
    OnlyAfter(Entry),
    Open { before: bool, after: bool },
    End,
}

impl<S: PageStore + ?Sized> Diff<'_, S> {
    fn compare(&self) -> Next {
        use Part::{Entry, Page};
        match (self.before.last(), self.after.last()) {
            (None, None) => Next::End,
            (Some(Entry(e)), None) => Next::OnlyBefore(*e),
            (None, Some(Entry(e))) => Next::OnlyAfter(*e),
            (Some(Page(_)), None) => Next::Open { before: true, after: false },
            (None, Some(Page(_))) => Next::Open { before: false, after: true },
            (Some(Entry(b)), Some(Entry(a))) => match b.key.cmp(&a.key) {
                Ordering::Less => Next::OnlyBefore(*b),
                Ordering::Greater => Next::OnlyAfter(*a),
                Ordering::Equal if a == b => Next::SkipBoth,
                Ordering::Equal => Next::Both(*b, *a),
            },
            (Some(Entry(b)), Some(Page(a))) if Some(b.key) <= a.after => Next::OnlyBefore(*b),
            (Some(Page(b)), Some(Entry(a))) if Some(a.key) <= b.after => Next::OnlyAfter(*a),
            (Some(Entry(_)), Some(Page(_))) => Next::Open { before: false, after: true },
            (Some(Page(_)), Some(Entry(_))) => Next::Open { before: true, after: false },
            (Some(Page(b)), Some(Page(a))) if a.name == b.name => Next::SkipBoth,
            // The pages share no key: the first one is in one tree only.
            (Some(Page(b)), Some(Page(a))) if Some(b.last_key) <= a.after => {
                Next::Open { before: true, after: false }
            }
            (Some(Page(b)), Some(Page(a))) if Some(a.last_key) <= b.after => {
                Next::Open { before: false, after: true }
            }
            // Different pages of one rank share a key: neither is in the other tree.
            (Some(Page(b)), Some(Page(a))) => {
                Next::Open { before: b.rank >= a.rank, after: a.rank >= b.rank }
            }
        }
    }

    fn step(&mut self) -> Result<Option<Difference>, TreeError> {
        loop {
            match self.compare() {
                Next::End => return Ok(None),
                Next::SkipBoth => {
                    self.before.pop();
                    self.after.pop();
                }
                Next::Both(before, after) => {
                    self.before.pop();
                    self.after.pop();
                    let (key, before, after) = (before.key, Some(before), Some(after));
                    return Ok(Some(Difference { key, before, after }));
                }
                Next::OnlyBefore(entry) => {
                    self.before.pop();
                    let (key, before, after) = (entry.key, Some(entry), None);
                    return Ok(Some(Difference { key, before, after }));
                }
                Next::OnlyAfter(entry) => {
                    self.after.pop();
                    let (key, before, after) = (entry.key, None, Some(entry));
                    return Ok(Some(Difference { key, before, after }));
                }
                Next::Open { before, after } => {
                    if before {
                        open(self.store, &mut self.before)?;
                    }
                    if after {
                        open(self.store, &mut self.after)?;
                    }
                }
            }
        }
    }
}

/// Replaces the first part by its items, if it is a page.
fn open<S: PageStore + ?Sized>(store: &S, parts: &mut Vec<Part>) -> Result<(), TreeError> {
    if let Some(Part::Page(place)) = parts.pop() {
        let page = load(store, &place)?;
        match &*page {
            Page::Leaf(entries) => parts.extend(entries.iter().rev().map(|e| Part::Entry(*e))),
            Page::Internal { children, .. } => {
                let places = (0..children.len()).rev().map(|index| place.child(&page, index));
                parts.extend(places.map(Part::Page));
            }
        }
    }
    Ok(())
}

impl<S: PageStore + ?Sized> Iterator for Diff<'_, S> {
    type Item = Result<Difference, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if next.is_err() {
            self.before.clear();
            self.after.clear();
        }
        next.transpose()
    }
}
