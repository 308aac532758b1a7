//! Proofs that a tree has one entry, without its neighbours: a few sibling digests for each level.
//!
//! Pages prove ranges and absences; an [`Inclusion`] proves one entry in about a twentieth of the bytes.

use crate::{
    hash::{hash_each, Tag},
    height::H,
    item::Entry,
    key::Key,
    F,
};

use super::{
    chain::{iv, node_digest},
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
    /// The chain over the items before; `None` where the item is the first of its node.
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
            let before = node.items[..index].iter().map(|item| item.digest);
            levels.push(Siblings {
                before: (index > 0).then(|| node_digest(node.level, before)),
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

    /// A path with these nodes; `None` unless there is one for each level, and no `before` is the
    /// chain over no items.
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
    /// each sibling and level, and two for the entry.
    pub fn root(&self, entry: &Entry) -> F {
        roots(&[(*entry, self.clone())])[0].root
    }
}

/// The key digest of an entry, and the root to which its path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rooted {
    /// The digest of the entry's key.
    pub kappa: F,
    /// [`Inclusion::root`].
    pub root: F,
}

/// The roots of several paths. A path is sequential, but the paths are independent: they are hashed
/// together, which takes less than half the time where the processor has vector instructions.
pub fn roots(paths: &[(Entry, Inclusion)]) -> Vec<Rooted> {
    let limbs: Vec<[F; 3]> = paths.iter().map(|(entry, _)| entry.key.limbs()).collect();
    let kappas = hash_each(Tag::Key, &limbs);
    let inputs = paths.iter().zip(&kappas);
    let inputs: Vec<[F; 3]> =
        inputs.map(|((entry, _), kappa)| [*kappa, entry.stamp.to_field(), entry.value]).collect();
    let mut items = hash_each(Tag::Item, &inputs);
    for level in 0..=H {
        climb(level, paths, &mut items);
    }
    let rooted = |(kappa, root)| Rooted { kappa, root };
    kappas.into_iter().zip(items).map(rooted).collect()
}

/// Replaces the item of each path by the digest of its node of this level.
fn climb(level: usize, paths: &[(Entry, Inclusion)], items: &mut [F]) {
    let siblings = |path: usize| &paths[path].1.levels[level];
    let before = |path: usize| siblings(path).before.unwrap_or_else(|| iv(level));
    let mut inputs: Vec<[F; 2]> =
        items.iter().enumerate().map(|(path, item)| [before(path), *item]).collect();
    let mut open: Vec<usize> = (0..items.len()).collect();
    for position in 0.. {
        for (path, chain) in open.iter().zip(hash_each(Tag::Node, &inputs)) {
            items[*path] = chain;
        }
        open.retain(|path| position < siblings(*path).after.len());
        if open.is_empty() {
            break;
        }
        inputs = open.iter().map(|path| [items[*path], siblings(*path).after[position]]).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        stamp::Stamp,
        tree::{build, MemoryStore},
    };

    #[test]
    fn paths_lead_to_the_root_and_nothing_else_does() {
        let user = |n: u32| Entry {
            key: Key::shared(&n.to_be_bytes()).expect("short"),
            stamp: Stamp { ts: 7, writer: n },
            value: F::from(n),
        };
        let mut entries: Vec<Entry> = (0..500).map(user).collect();
        entries.insert(0, Entry::start_sentinel());
        entries.extend(Entry::fences());
        entries.push(Entry::end_sentinel());
        entries.sort_by_key(|entry| entry.key);
        let built = build(&entries);
        let mut store = MemoryStore::default();
        store.apply(&built);
        let of = |key: &Key| Inclusion::of(&store, built.root, key).expect("the tree is whole");
        let paths: Vec<(Entry, Inclusion)> =
            entries.iter().map(|entry| of(&entry.key).expect("it is there")).collect();
        for ((entry, path), rooted) in paths.iter().zip(roots(&paths)) {
            assert_eq!(rooted, Rooted { kappa: entry.key.digest(), root: built.root });
            assert_eq!(path.root(entry), built.root);
            let other = Entry { value: entry.value + F::from(1u64), ..*entry };
            assert_ne!(path.root(&other), built.root);
            assert_eq!(Inclusion::new(path.levels().to_vec()), Some(path.clone()));
        }
        // The path of a neighbour does not lead there.
        assert_ne!(paths[3].1.root(&paths[4].0), built.root);
        assert_eq!(of(&Key::shared(b"absent").expect("short")), None);
        // A path has one form.
        let mut spelled = paths[0].1.levels().to_vec();
        assert_eq!(spelled[0].before, None, "the start sentinel is the first item");
        spelled[0].before = Some(iv(0));
        assert_eq!(Inclusion::new(spelled), None);
        assert_eq!(Inclusion::new(paths[0].1.levels()[1..].to_vec()), None);
    }
}
