//! Height of a key: how many levels of the tree it bounds (design 4).

use rootfold_arith::jacobi::is_nonzero_square;

use crate::{key::Key, F};

/// Number of levels below the root's own: the root is a chain of level `H`.
pub const H: usize = 12;
/// How many numbers `kappa + i` are tested.
pub const SQUARE_TESTS: usize = 2 * H;

/// `min(H, r/2)`, with `r` the number of consecutive `i = 0, 1, 2, ...` for which `kappa + i` is a
/// nonzero square. A key is of height >= l with probability 4^-l.
pub fn height(kappa: F) -> usize {
    let squares =
        (0..SQUARE_TESTS as u64).take_while(|i| is_nonzero_square(&(kappa + F::from(*i)))).count();
    squares / 2
}

/// The height of an entry's key. The end sentinel has height `H` and the start sentinel 0, whatever
/// their digests.
pub fn key_height(key: &Key) -> usize {
    match *key {
        Key::END => H,
        Key::START => 0,
        _ => height(key.digest()),
    }
}
