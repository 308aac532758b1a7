//! The merge lane of a plan: the old tree walked once, in key order (design 5).

use std::collections::{BTreeMap, BTreeSet};

use rootfold_core::{
    height::key_height,
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

/// The actions of the merge lane for the given OP rows on the tree with this root.
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

/// The leaves of the old tree that must be opened: those under the epoch's keys, and the
/// neighbours on both sides of every insert (M5, M6).
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
    /// The inserts that are still to come.
    inserts: BTreeSet<Key>,
    actions: Vec<Action>,
}

impl<S: PageStore + ?Sized> Walker<'_, S> {
    /// Everything under one node. Its unchanged beginning is one PRESET.
    fn node(&mut self, node: &Node) -> Result<(), TreeError> {
        let untouched = node.items.iter().take_while(|item| !self.touched(item)).count();
        let (beginning, rest) = node.items.split_at(untouched);
        if !beginning.is_empty() {
            let chain = beginning.iter().fold(iv(node.level), |c, item| absorb(c, item.digest));
            self.tree(TreeOp::Preset, node.level, chain);
        }
        for item in rest {
            if self.touched(item) {
                match item.open(self.store)? {
                    Opened::Entry(entry) => self.leaf(&entry),
                    Opened::Node(below) => {
                        self.node(&below)?;
                        self.tree(TreeOp::CloseBoth, below.level, F::from(0u64));
                    }
                }
            } else {
                self.tree(TreeOp::Opaque, node.level, item.digest);
            }
        }
        Ok(())
    }

    /// Is a leaf under this item opened?
    fn touched(&self, item: &Item) -> bool {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let after = item.after.map_or(Unbounded, Excluded);
        self.opened.range((after, Included(item.last_key))).next().is_some()
    }

    /// The inserts before an opened leaf, then the leaf's own rows.
    fn leaf(&mut self, entry: &Entry) {
        let later = self.inserts.split_off(&entry.key);
        for key in std::mem::replace(&mut self.inserts, later) {
            self.rows(&key, None);
            for level in 0..key_height(&key) {
                self.tree(TreeOp::CloseNew, level, F::from(0u64));
            }
        }
        self.rows(&entry.key, Some(entry));
    }

    fn rows(&mut self, key: &Key, old: Option<&Entry>) {
        let none = KeyOps::default();
        let ops = self.keys.get(key).unwrap_or(&none);
        self.actions.extend(ops.rows(key, old).into_iter().map(Action::Merge));
    }

    fn tree(&mut self, op: TreeOp, level: usize, digest: F) {
        self.actions.push(Action::Tree(TreeRow { op, level: level as u8, digest }));
    }
}
