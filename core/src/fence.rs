//! Fences of writers: keys that divide a node which another writer has made large ([`crate::tree::crowd`]).

use crate::{
    height::key_height,
    key::{Key, KeyKind, KEY_BYTES, LIMB_BYTES},
};

/// The greatest height of a fence. One in `4^height` keys has it, so a fence of this height takes 4,096 tries
/// of about 10 us on average; whoever makes a node of a higher level large needs as many for each key.
pub const MAX_FENCE: usize = 6;

/// Tries per fence: the chance that all fail is `e^-16` for a fence of the greatest height.
const TRIES: u64 = 16 * 4096;

/// A key of at least this height shortly after `key`: after it, and before every greater key with an
/// application key or order that is not longer by a zero byte. It has no application key itself. `None` if the
/// height exceeds [`MAX_FENCE`], for keys of other kinds, and if no try succeeds.
pub fn fence_after(key: &Key, height: usize) -> Option<Key> {
    if height > MAX_FENCE {
        return None;
    }
    let free = match key.kind() {
        // Behind the application key, and in place of its length.
        KeyKind::Shared | KeyKind::Owned(_) => {
            let used = KEY_BYTES - 1 - trailing_zeros(&key.as_bytes()[..KEY_BYTES - 1]);
            used..KEY_BYTES
        }
        // Behind the order.
        KeyKind::Index => {
            let used = 2 * LIMB_BYTES - trailing_zeros(&key.as_bytes()[LIMB_BYTES..2 * LIMB_BYTES]);
            used..2 * LIMB_BYTES
        }
        _ => return None,
    };
    let room = 8 * free.len().min(8) as u32;
    let most = TRIES.min(1u64.checked_shl(room).map_or(u64::MAX, |all| all - 1));
    (1..=most).find_map(|number| {
        let mut bytes = *key.as_bytes();
        let digits = number.to_be_bytes();
        let width = free.len().min(digits.len());
        let start = free.end - width;
        bytes[start..free.end].copy_from_slice(&digits[digits.len() - width..]);
        let fence = Key::from_bytes(bytes);
        let fits = fence > *key && fence.application_key().is_none();
        (fits && key_height(&fence) >= height).then_some(fence)
    })
}

fn trailing_zeros(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| **byte == 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::{belongs_to, Mark};

    #[test]
    fn a_fence_follows_its_key_and_is_no_application_key() {
        let names: [&[u8]; 4] = [b"", b"post/17", b"ends with zero\0", &[7; 80]];
        for name in names {
            for key in [Key::shared(name).unwrap(), Key::owned(9, name).unwrap()] {
                for height in 0..=4 {
                    let fence = fence_after(&key, height).unwrap();
                    assert!(fence > key && key_height(&fence) >= height);
                    assert_eq!(fence.application_key(), None);
                    assert_eq!(fence.kind(), key.kind());
                    let next = Key::shared(&[name, b"\x01"].concat()).unwrap();
                    assert!(key.kind() != KeyKind::Shared || fence < next);
                }
            }
        }
        let long = fence_after(&Key::shared(&[7; 91]).unwrap(), 1);
        assert!(long.is_some(), "the byte of the length is free");
        assert_eq!(fence_after(&Key::shared(b"x").unwrap(), MAX_FENCE + 1), None);
        assert_eq!(fence_after(&Key::head(1), 1), None);
    }

    #[test]
    fn a_fence_in_the_index_belongs_to_the_same_key() {
        let primary = Key::owned(9, b"post").unwrap();
        let index = Mark::new(b"cats", b"2026").unwrap().key(&primary);
        let fence = fence_after(&index, 3).unwrap();
        assert!(fence > index && key_height(&fence) >= 3);
        assert!(belongs_to(&fence.limbs(), primary.digest()));
    }
}
