//! What a git history becomes: keys, clocks and the authors' secret keys. Depends on nothing but
//! the history and the owner's key, so that an import that was cut off can go on.

use rootfold_core::{
    eddsa::SecretKey,
    key::{Key, MAX_APPLICATION_KEY},
};

/// What separates the kept beginning of a long path from the hash of the whole path.
const CUT_MARK: u8 = b'#';
/// How much of the hash is kept, in bytes.
const CUT_HASH: usize = 16;
/// The latest time that a commit may claim, in milliseconds: half of what a stamp can express.
const LATEST_MS: u64 = 1 << 47;
/// Between two changes lies one free tick, for the grant that the second one may need.
const TICKS: u64 = 2;

/// The key of a path: its bytes. A path that is longer than a key can be is cut: its first 58
/// bytes, `#`, and 32 hexadecimal digits of the BLAKE3 hash of the whole path.
pub fn path_key(path: &[u8]) -> Key {
    let short = |bytes: &[u8]| Key::user(bytes).expect("at most 91 bytes");
    if path.len() <= MAX_APPLICATION_KEY {
        return short(path);
    }
    let mut cut = path[..MAX_APPLICATION_KEY - 1 - 2 * CUT_HASH].to_vec();
    cut.push(CUT_MARK);
    let hash = blake3::hash(path);
    cut.extend_from_slice(hex::encode(&hash.as_bytes()[..CUT_HASH]).as_bytes());
    short(&cut)
}

/// Whether [`path_key`] cuts this path.
pub fn is_cut(path: &[u8]) -> bool {
    path.len() > MAX_APPLICATION_KEY
}

/// Hybrid logical clocks of consecutive changes: the commit's time, or two ticks after the change
/// before where that is later. A commit has seen its parents, so the clocks of a history grow; and
/// the largest stamp on a path is that of the last change.
pub fn clocks(seconds: impl IntoIterator<Item = i64>) -> Vec<u64> {
    let mut last = 0;
    let clock = |seconds: i64| {
        let ms = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000).min(LATEST_MS);
        last = (ms << 16).max(last) + TICKS;
        last
    };
    seconds.into_iter().map(clock).collect()
}

/// The secret key of an author. The importer signs in the authors' names: their keys follow from
/// his own, so that a second import of the same history finds them again.
pub fn author_secret(owner: &SecretKey, email: &[u8]) -> SecretKey {
    let mut hasher = blake3::Hasher::new_derive_key("rootfold git author key v1");
    hasher.update(&owner.to_bytes()[..]).update(email);
    SecretKey::from_bytes(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_its_own_key_up_to_the_limit() {
        let path = [b'p'; MAX_APPLICATION_KEY];
        assert_eq!(path_key(&path).application_key(), Some(&path[..]));
        assert!(!is_cut(&path));
    }

    #[test]
    fn long_paths_keep_their_beginning_and_stay_distinct() {
        let long = |last: u8| [&[b'p'; 200][..], &[last]].concat();
        let (a, b) = (path_key(&long(b'a')), path_key(&long(b'b')));
        assert_ne!(a, b);
        assert!(is_cut(&long(b'a')));
        let bytes = a.application_key().unwrap();
        assert_eq!(bytes.len(), MAX_APPLICATION_KEY);
        assert_eq!(bytes[..58], [b'p'; 58]);
        assert_eq!(bytes[58], b'#');
    }

    #[test]
    fn clocks_follow_the_commits_and_always_leave_room_for_a_grant() {
        let clocks = clocks([1_000, 1_000, 999, 2_000, -5, i64::MAX, i64::MAX]);
        assert_eq!(clocks[0], (1_000_000 << 16) + 2);
        assert_eq!(clocks[1], clocks[0] + 2);
        assert_eq!(clocks[2], clocks[1] + 2);
        assert_eq!(clocks[3], (2_000_000 << 16) + 2);
        assert!(clocks.windows(2).all(|pair| pair[0] + TICKS <= pair[1]));
    }

    #[test]
    fn authors_have_distinct_keys_that_follow_from_the_owner() {
        let owner = SecretKey::from_bytes([7; 32]);
        let key = |owner: &SecretKey, email: &[u8]| author_secret(owner, email).public_key();
        assert_eq!(key(&owner, b"a@x"), key(&owner, b"a@x"));
        assert_ne!(key(&owner, b"a@x"), key(&owner, b"b@x"));
        assert_ne!(key(&owner, b"a@x"), key(&SecretKey::from_bytes([8; 32]), b"a@x"));
    }
}
