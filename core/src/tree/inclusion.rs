//! Proofs that a tree has one entry, without its neighbours: a few sibling digests for each level.
//!
//! Pages prove ranges and absences; an [`Inclusion`] proves one entry in about a twentieth of the bytes.

use crate::{height::H, item::Entry, key::Key, F};

use super::{
    chain::{absorb, iv},
    error::TreeError,
    store::PageStore,
    walk::{root_node, Opened},
};

/// The path from an entry to the root: for each level, the node that has the item.
///
/// A path that leads to a root shows that the tree has the entry, by collision resistance of the chain: the
/// last absorption of a node binds the item and the chain before it, and so on down the levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// The nodes of the levels 0 to [`H`].
    levels: Vec<Siblings>,
}

/// The other items of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Siblings {
    /// The chain of the items before; `None` if there are none.
    pub before: Option<F>,
    /// The digests of the items after.
    pub after: Vec<F>,
}

impl Inclusion {
    /// The path of `key` in the tree of `root` with its entry; `None` if the tree does not hold the key.
    /// Hashes the pages on the path.
    ///
    /// # Errors
    /// [`TreeError`] if a page is missing or misplaced.
    pub fn of<S: PageStore + ?Sized>(
        store: &S,
        root: F,
        key: &Key,
    ) -> Result<Option<(Entry, Inclusion)>, TreeError> {
        let mut node = root_node(store, root)?;
        let mut levels = Vec::with_capacity(H + 1);
        loop {
            let index = node.items.partition_point(|item| item.last_key < *key);
            let Some(item) = node.items.get(index) else { return Ok(None) };
            let before = &node.items[..index];
            let chain =
                before.iter().fold(iv(node.level), |chain, item| absorb(chain, item.digest));
            levels.push(Siblings {
                before: (index > 0).then_some(chain),
                after: node.items[index + 1..].iter().map(|item| item.digest).collect(),
            });
            match item.open(store)? {
                Opened::Node(below) => node = below,
                Opened::Entry(entry) if entry.key == *key => {
                    levels.reverse();
                    return Ok(Some((entry, Inclusion { levels })));
                }
                Opened::Entry(_) => return Ok(None),
            }
        }
    }

    /// A path with these nodes; `None` unless there is one for each level, and each `before` is not that
    /// of no items.
    pub fn new(levels: Vec<Siblings>) -> Option<Inclusion> {
        let plain = |(level, siblings): (usize, &Siblings)| siblings.before != Some(iv(level));
        let regular = levels.len() == H + 1 && levels.iter().enumerate().all(plain);
        regular.then_some(Inclusion { levels })
    }

    /// The nodes of the levels 0 to [`H`].
    pub fn levels(&self) -> &[Siblings] {
        &self.levels
    }

    /// The root to which the path leads from `entry`. The tree of this root has the entry. Costs a hash for
    /// each sibling and level, and three for the entry.
    pub fn root(&self, entry: &Entry) -> F {
        self.levels.iter().enumerate().fold(entry.item(), |item, (level, siblings)| {
            let chain = absorb(siblings.before.unwrap_or_else(|| iv(level)), item);
            siblings.after.iter().fold(chain, |chain, digest| absorb(chain, *digest))
        })
    }
}
