//! Node digests: a chain over the items, `c = IV_l; for each item d: c = H_2^NODE(c, d)`.

use std::sync::OnceLock;

use crate::{
    hash::{hash, hash_each, Tag},
    height::{defined_height, height, H},
    item::Entry,
    F,
};

use super::limits::{LEVELS_PER_PAGE, ROOT_RANK};

/// Number of entries that are hashed together: enough for packed hashing, few enough for the cache.
const ENTRIES_AT_A_TIME: usize = 64;

/// `IV_l = H_1^IV(l)`, the chain value before the first item of a node of level l.
///
/// # Panics
/// If `level` is above [`H`].
pub fn iv(level: usize) -> F {
    static ALL: OnceLock<[F; H + 1]> = OnceLock::new();
    ALL.get_or_init(|| std::array::from_fn(|l| hash(Tag::Iv, [F::from(l as u64)])))[level]
}

/// The chain value after one more item: `H_2^NODE(chain, digest)`.
pub fn absorb(chain: F, digest: F) -> F {
    hash(Tag::Node, [chain, digest])
}

/// The digest of a node with these items.
///
/// # Panics
/// If `level` is above [`H`].
pub fn node_digest(level: usize, items: impl IntoIterator<Item = F>) -> F {
    items.into_iter().fold(iv(level), absorb)
}

/// The item digests of entries and the heights of their keys. Hashes each key once for both.
pub fn leaf_items(entries: &[Entry]) -> Vec<(F, usize)> {
    let mut items = Vec::with_capacity(entries.len());
    for entries in entries.chunks(ENTRIES_AT_A_TIME) {
        let limbs: Vec<[F; 3]> = entries.iter().map(|e| e.key.limbs()).collect();
        let kappas = hash_each(Tag::Key, &limbs);
        let inputs = |(entry, kappa): (&Entry, &F)| [*kappa, entry.stamp.to_field(), entry.value];
        let inputs: Vec<[F; 3]> = entries.iter().zip(&kappas).map(inputs).collect();
        let digests = hash_each(Tag::Item, &inputs);
        let heights = entries
            .iter()
            .zip(kappas)
            .map(|(entry, kappa)| defined_height(&entry.key).unwrap_or_else(|| height(kappa)));
        items.extend(digests.into_iter().zip(heights));
    }
    items
}

/// An item of any level of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageItem {
    pub(super) digest: F,
    /// Index of the last item of the lowest level below it.
    pub(super) last: usize,
}

/// The nodes of a page.
pub(super) struct FoldedPage {
    /// The items of each level of the page, the lowest level first.
    pub(super) levels: Vec<Vec<PageItem>>,
    /// The page's name.
    pub(super) name: F,
}

/// Computes the nodes of a page from the items of its lowest level, given as (digest, height). Only
/// the last item may end the page.
pub(super) fn fold_page(rank: u8, items: &[(F, usize)]) -> FoldedPage {
    let base = LEVELS_PER_PAGE * usize::from(rank);
    let count = if rank == ROOT_RANK { 1 } else { LEVELS_PER_PAGE };
    let lowest = items.iter().enumerate().map(|(last, item)| PageItem { digest: item.0, last });
    let mut levels: Vec<Vec<PageItem>> = vec![lowest.collect()];
    for level in base..base + count - 1 {
        let below = &levels[levels.len() - 1];
        let nodes: Vec<_> = below.split_inclusive(|item| items[item.last].1 > level).collect();
        let digests = node_digests(level, &nodes);
        let ends = nodes.iter().map(|node| node[node.len() - 1].last);
        let above = digests.into_iter().zip(ends).map(|(digest, last)| PageItem { digest, last });
        levels.push(above.collect());
    }
    let top = levels[levels.len() - 1].iter().map(|item| item.digest);
    FoldedPage { name: node_digest(base + count - 1, top), levels }
}

/// The digests of nodes of one level. A chain is sequential, but the chains are independent: they
/// are hashed together, item by item.
fn node_digests(level: usize, nodes: &[&[PageItem]]) -> Vec<F> {
    let mut chains = vec![iv(level); nodes.len()];
    let mut open: Vec<usize> = (0..nodes.len()).collect();
    for position in 0.. {
        open.retain(|node| position < nodes[*node].len());
        if open.is_empty() {
            break;
        }
        let inputs: Vec<[F; 2]> =
            open.iter().map(|node| [chains[*node], nodes[*node][position].digest]).collect();
        for (node, chain) in open.iter().zip(hash_each(Tag::Node, &inputs)) {
            chains[*node] = chain;
        }
    }
    chains
}
