//! The merge lane of a plan: one walk through the old tree, in key order.

use std::collections::{BTreeMap, BTreeSet};

use ark_ff::AdditiveGroup;
use rootfold_core::{
    height::{key_height, H},
    item::Entry,
    key::Key,
    step::{TreeOp, TreeRow},
    tree::{
        chain::{absorb, iv},
        lookup, neighbours,
        walk::{root_node, Item, Node, Opened},
        PageStore, TreeError,
    },
    F,
};

use super::{keys::KeyOps, pack::Action};

/// The actions of the merge lane for these OP rows on the tree with this root.
pub(super) fn actions<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    keys: &BTreeMap<Key, KeyOps>,
) -> Result<Vec<Action>, TreeError> {
    let mut walker = Walker {
        store,
        keys,
        opened: opened_leaves(store, root, keys)?,
        inserts: inserts(store, root, keys)?,
        beginnings: [None; H],
        actions: Vec::new(),
    };
    walker.node(&root_node(store, root)?)?;
    Ok(walker.actions)
}

/// The keys that the old tree does not hold.
fn inserts<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    keys: &BTreeMap<Key, KeyOps>,
) -> Result<BTreeSet<Key>, TreeError> {
    let mut inserts = BTreeSet::new();
    for key in keys.keys() {
        if lookup(store, root, key)?.is_none() {
            inserts.insert(*key);
        }
    }
    Ok(inserts)
}

/// Keys of the leaves of the old tree that must be opened: the epoch's keys, and both neighbours of
/// every insert (M5, M6).
fn opened_leaves<S: PageStore + ?Sized>(
    store: &S,
    root: F,
    keys: &BTreeMap<Key, KeyOps>,
) -> Result<BTreeSet<Key>, TreeError> {
    let mut opened = BTreeSet::new();
    for key in keys.keys() {
        if lookup(store, root, key)?.is_some() {
            opened.insert(*key);
        } else {
            let (left, right) = neighbours(store, root, key)?;
            opened.extend([left.key, right.key]);
        }
    }
    Ok(opened)
}

struct Walker<'a, S: PageStore + ?Sized> {
    store: &'a S,
    keys: &'a BTreeMap<Key, KeyOps>,
    opened: BTreeSet<Key>,
    /// The inserts that are not emitted yet.
    inserts: BTreeSet<Key>,
    /// By level: the chain of the unchanged first items of a node, which the next merge row skips.
    beginnings: [Option<F>; H],
    actions: Vec<Action>,
}

impl<S: PageStore + ?Sized> Walker<'_, S> {
    /// Emits the actions of one node. The first opened leaf skips the unchanged items before it.
    fn node(&mut self, node: &Node) -> Result<(), TreeError> {
        let untouched = node.items.iter().take_while(|item| !self.touched(item)).count();
        let (beginning, rest) = node.items.split_at(untouched);
        let rest = match self.beginnings.get_mut(node.level) {
            Some(slot) if untouched > 0 => {
                let chain = beginning.iter().fold(iv(node.level), |c, item| absorb(c, item.digest));
                *slot = Some(chain);
                rest
            }
            Some(_) => rest,
            // The root node is open from the start, so no row descends to it and skips.
            None => &node.items,
        };
        for item in rest {
            if self.touched(item) {
                match item.open(self.store)? {
                    Opened::Entry(entry) => self.leaf(&entry),
                    Opened::Node(below) => {
                        self.node(&below)?;
                        self.tree(TreeOp::CloseBoth, F::ZERO);
                    }
                }
            } else {
                self.tree(TreeOp::Opaque, item.digest);
            }
        }
        Ok(())
    }

    /// Whether a leaf under this item is opened.
    fn touched(&self, item: &Item) -> bool {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let after = item.after.map_or(Unbounded, Excluded);
        self.opened.range((after, Included(item.last_key))).next().is_some()
    }

    /// Emits the inserts before an opened leaf, then the rows of the leaf.
    fn leaf(&mut self, entry: &Entry) {
        let later = self.inserts.split_off(&entry.key);
        for key in std::mem::replace(&mut self.inserts, later) {
            self.rows(&key, None);
            for _ in 0..key_height(&key) {
                self.tree(TreeOp::CloseNew, F::ZERO);
            }
        }
        self.rows(&entry.key, Some(entry));
    }

    fn rows(&mut self, key: &Key, old: Option<&Entry>) {
        let none = KeyOps::default();
        let mut rows = self.keys.get(key).unwrap_or(&none).rows(key, old);
        if let Some(first) = rows.first_mut() {
            let beginnings = std::mem::replace(&mut self.beginnings, [None; H]);
            first.skips = beginnings.iter().any(Option::is_some);
            first.beginnings =
                std::array::from_fn(|level| beginnings[level].unwrap_or_else(|| iv(level)));
        }
        self.actions.extend(rows.into_iter().map(Box::new).map(Action::Merge));
    }

    fn tree(&mut self, op: TreeOp, digest: F) {
        self.actions.push(Action::Tree(TreeRow { op, digest }));
    }
}
