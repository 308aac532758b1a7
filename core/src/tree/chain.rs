//! The chains of nodes: `c = IV_l; for each item d: c = H_2^NODE(c, d)` (design 4).

use std::sync::OnceLock;

use crate::{
    hash::{hash, Tag},
    height::{height, H},
    item::{item, Entry},
    key::Key,
    F,
};

use super::page::{LEVELS_PER_PAGE, ROOT_RANK};

/// `IV_l = H_1^IV(l)`, the chain of a node of level `level` before its first item.
///
/// # Panics
/// If `level` is above [`H`].
pub fn iv(level: usize) -> F {
    static ALL: OnceLock<[F; H + 1]> = OnceLock::new();
    ALL.get_or_init(|| std::array::from_fn(|l| hash(Tag::Iv, [F::from(l as u64)])))[level]
}

/// The chain after one more item: `H_2^NODE(chain, digest)`.
pub fn absorb(chain: F, digest: F) -> F {
    hash(Tag::Node, [chain, digest])
}

/// The digest of a node of level `level` with these items.
///
/// # Panics
/// If `level` is above [`H`].
pub fn node_digest(level: usize, items: impl IntoIterator<Item = F>) -> F {
    items.into_iter().fold(iv(level), absorb)
}

/// The level-0 item of an entry and its height; hashes the key once for both.
pub fn leaf_item(entry: &Entry) -> (F, usize) {
    let kappa = entry.key.digest();
    let height = if entry.key == Key::END {
        H
    } else if entry.key == Key::START {
        0
    } else {
        height(kappa)
    };
    (item(kappa, entry.stamp.to_field(), entry.value), height)
}

/// Closes the nodes inside a page of this rank whose lowest items are given as (digest, height),
/// and returns the page's name. Told of each item of the upper levels of the page, in order, as
/// (levels above the page's lowest, digest, index of the lowest item at which its node ends).
///
/// The items must be a page's: only the last reaches the level above the page.
pub(super) fn fold_page(
    rank: u8,
    items: impl IntoIterator<Item = (F, usize)>,
    mut on_item: impl FnMut(usize, F, usize),
) -> F {
    let base = LEVELS_PER_PAGE * usize::from(rank);
    let levels = if rank == ROOT_RANK { 1 } else { LEVELS_PER_PAGE };
    let start: [F; LEVELS_PER_PAGE] = std::array::from_fn(|k| iv(base + k.min(levels - 1)));
    let mut chains = start;
    for (index, (digest, height)) in items.into_iter().enumerate() {
        let mut carry = digest;
        for k in 0..levels {
            chains[k] = absorb(chains[k], carry);
            if k + 1 == levels || height <= base + k {
                break;
            }
            carry = std::mem::replace(&mut chains[k], start[k]);
            on_item(k + 1, carry, index);
        }
    }
    chains[levels - 1]
}
