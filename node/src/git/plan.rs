//! Keys, clocks and secret keys of an imported git history. They depend only on the history and the
//! owner's key, so an interrupted import can resume.

use rootfold_core::{
    eddsa::SecretKey,
    key::{Key, MAX_SHARED_KEY},
    stamp::COUNTER_BITS,
};

/// The separator between the kept prefix of a long path and the hash of the path.
const CUT_MARK: u8 = b'#';
/// The length of the kept prefix of the hash, in bytes.
const CUT_HASH: usize = 16;
/// The length of what is kept of a long path, in bytes.
const CUT_KEPT: usize = MAX_SHARED_KEY - 1 - 2 * CUT_HASH;
/// The distance of the clocks of two changes: one tick is for a grant before the second change.
const TICKS: u64 = 2;

/// The key of a path: its bytes. The key of a path over 91 bytes is its first 58 bytes, `#`, and 32
/// hexadecimal digits of the BLAKE3 hash of the path.
pub fn path_key(path: &[u8]) -> Key {
    let short = |bytes: &[u8]| Key::shared(bytes).expect("at most 91 bytes");
    if path.len() <= MAX_SHARED_KEY {
        return short(path);
    }
    let mut cut = path[..CUT_KEPT].to_vec();
    cut.push(CUT_MARK);
    let hash = blake3::hash(path);
    cut.extend_from_slice(hex::encode(&hash.as_bytes()[..CUT_HASH]).as_bytes());
    short(&cut)
}

/// Whether [`path_key`] shortens this path.
pub fn is_cut(path: &[u8]) -> bool {
    path.len() > MAX_SHARED_KEY
}

/// The prefix of the keys of all shortened paths that begin with `prefix`, if `prefix` is longer than what
/// such keys keep of a path. Keys of other paths may have it too.
pub fn cut_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    (prefix.len() > CUT_KEPT).then(|| [&prefix[..CUT_KEPT], &[CUT_MARK]].concat())
}

/// Whether a key has the form that [`path_key`] gives a path that it shortens.
pub fn is_cut_key(key: &[u8]) -> bool {
    let is_digit = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    key.len() == MAX_SHARED_KEY
        && key[CUT_KEPT] == CUT_MARK
        && key[CUT_KEPT + 1..].iter().all(is_digit)
}

/// The hybrid logical clocks of consecutive changes: the time of the commit, or two ticks after the
/// change before, whichever is later. So clocks ascend through the history, and the largest stamp of a
/// path is that of its last change. A time before 1970 counts as 1970, and a time after `now_ms` as
/// that: nodes hold ops back that are ahead of their clocks. [`is_odd`] tells which times those are.
pub fn clocks(seconds: impl IntoIterator<Item = i64>, now_ms: u64) -> Vec<u64> {
    let mut last = 0;
    let clock = |seconds: i64| {
        let ms = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000).min(now_ms);
        last = (ms << COUNTER_BITS).max(last) + TICKS;
        last
    };
    seconds.into_iter().map(clock).collect()
}

/// Whether [`clocks`] takes another time than that of the commit.
pub fn is_odd(seconds: i64, now_ms: u64) -> bool {
    u64::try_from(seconds).is_ok_and(|s| s.saturating_mul(1000) > now_ms) || seconds <= 0
}

/// The secret key of an author, derived from the owner's key and the e-mail address. The importer signs
/// for the authors; a second import of the same history derives the same keys.
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
        let path = [b'p'; MAX_SHARED_KEY];
        assert_eq!(path_key(&path), Key::shared(&path).unwrap());
        assert!(!is_cut(&path));
    }

    #[test]
    fn long_paths_keep_their_beginning_and_stay_distinct() {
        let long = |last: u8| [&[b'p'; 200][..], &[last]].concat();
        let (a, b) = (path_key(&long(b'a')), path_key(&long(b'b')));
        assert_ne!(a, b);
        assert!(is_cut(&long(b'a')));
        let bytes = a.application_key().unwrap().bytes;
        assert_eq!(bytes.len(), MAX_SHARED_KEY);
        assert_eq!(bytes[..58], [b'p'; 58]);
        assert_eq!(bytes[58], b'#');
    }

    #[test]
    fn shortened_paths_are_found_by_their_beginning() {
        let path = [&[b'p'; 70][..], &[b'q'; 30]].concat();
        let key = path_key(&path);
        let key = key.application_key().unwrap().bytes;
        assert!(is_cut_key(key) && !is_cut_key(&path[..MAX_SHARED_KEY]));
        for length in 0..=path.len() {
            let kept = cut_prefix(&path[..length]);
            assert_eq!(kept.is_some(), !key.starts_with(&path[..length]), "{length}");
            assert!(kept.is_none_or(|kept| key.starts_with(&kept)), "{length}");
        }
        assert_eq!(cut_prefix(&[b'o'; 59]).unwrap()[..58], [b'o'; 58]);
    }

    #[test]
    fn clocks_follow_the_commits_and_always_leave_room_for_a_grant() {
        let now = 3_000_000;
        let clocks = clocks([1_000, 1_000, 999, 2_000, -5, i64::MAX, i64::MAX], now);
        assert_eq!(clocks[0], (1_000_000 << 16) + 2);
        assert_eq!(clocks[1], clocks[0] + 2);
        assert_eq!(clocks[2], clocks[1] + 2);
        assert_eq!(clocks[3], (2_000_000 << 16) + 2);
        assert_eq!(clocks[5], (now << 16) + 2);
        assert!(clocks.windows(2).all(|pair| pair[0] + TICKS <= pair[1]));
        assert!([0, -5, 3_001, i64::MAX].into_iter().all(|seconds| is_odd(seconds, now)));
        assert!(![1, 3_000].into_iter().any(|seconds| is_odd(seconds, now)));
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
