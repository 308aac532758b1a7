//! Heights of keys: a key of height h ends a node on each of the levels 0 to h-1.

use rootfold_arith::jacobi::is_nonzero_square;

use crate::{key::Key, F};

/// The level of the root node, and the greatest height of a key.
pub const H: usize = 12;
/// Number of tested numbers `kappa + i`.
pub const SQUARE_TESTS: usize = 2 * H;

/// `min(H, floor(r / 2))`, where r is the number of consecutive `i = 0, 1, 2, ...` for which
/// `kappa + i` is a nonzero square. The height is at least l with probability 4^-l.
pub fn height(kappa: F) -> usize {
    let squares =
        (0..SQUARE_TESTS as u64).take_while(|i| is_nonzero_square(&(kappa + F::from(*i)))).count();
    squares / 2
}

/// The height of a key.
pub fn key_height(key: &Key) -> usize {
    defined_height(key).unwrap_or_else(|| height(key.digest()))
}

/// The height of a key that has one by definition: `H` for the end sentinel and the fences, 0 for the
/// start sentinel.
pub(crate) fn defined_height(key: &Key) -> Option<usize> {
    match *key {
        Key::END => Some(H),
        Key::START => Some(0),
        _ if Key::FENCES.contains(key) => Some(H),
        _ => None,
    }
}
