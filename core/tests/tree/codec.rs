//! Pages as bytes: one encoding per page, and hostile bytes.

use std::cell::RefCell;

use proptest::prelude::*;
use rand::{seq::SliceRandom, Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_arith::encoding::DecodeError;
use rootfold_core::{
    eddsa::PublicKey,
    head::Head,
    item::Entry,
    key::{Key, KeyKind, INDEX_BYTE},
    stamp::Stamp,
    tree::{
        self, Child, InlineValues, MemoryStore, Page, PageError, MAX_INLINE_VALUE, MAX_PAGE_BYTES,
    },
    value::{tombstone, value_digest},
    F,
};

use crate::support::{entry, numbered, runner, seeds, some_key, tree_of, user, whole};

/// The bytes of the value of a key; some are too long for an inline value.
fn value_of(key: &Key) -> Option<Vec<u8>> {
    match key.kind() {
        KeyKind::Head(writer) => Some(head_of(writer).to_bytes().to_vec()),
        KeyKind::Shared if key.as_bytes()[2].is_multiple_of(3) => None,
        KeyKind::Shared => Some(vec![b'v'; usize::from(key.as_bytes()[3]) * 2]),
        _ => None,
    }
}

fn head_of(writer: u32) -> Head {
    let public_key = PublicKey { x: F::from(writer), y: F::from(2u64) };
    Head { seq: F::from(writer), ..Head::first(F::from(1u64), public_key, true) }
}

fn valued(key: Key) -> Entry {
    let value = match (key.kind(), value_of(&key)) {
        (KeyKind::Head(writer), _) => head_of(writer).digest(),
        (_, Some(bytes)) => value_digest(&bytes),
        (_, None) => tombstone(),
    };
    Entry { key, stamp: Stamp { ts: 1 << 50, writer: 3 }, value }
}

fn inline(entry: &Entry) -> Option<Vec<u8>> {
    value_of(&entry.key)
}

/// A tree with keys and values of all kinds.
fn mixed(seed: u64, count: usize) -> (MemoryStore, F) {
    let rng = &mut ChaCha20Rng::seed_from_u64(seed);
    let mut keys: Vec<Key> = (0..count).map(|_| some_key(rng)).collect();
    keys.sort();
    keys.dedup();
    tree_of(keys.into_iter().map(valued))
}

#[test]
fn pages_survive_the_round_trip() {
    let outcome = runner("round trips", 16).run(&any::<u64>(), |seed| {
        let (store, _) = mixed(seed, 150);
        for (name, page) in store.iter() {
            let bytes = page.encode(&inline);
            let (decoded, values) = Page::check(name, &bytes).unwrap();
            prop_assert_eq!(&decoded, &**page);
            prop_assert_eq!(decoded.encode(&inline), bytes);
            let fits = |e: &&Entry| match e.key.kind() {
                KeyKind::Head(_) => true,
                _ => value_of(&e.key).is_some_and(|v| v.len() <= MAX_INLINE_VALUE),
            };
            let expected: Vec<_> = page.entries().iter().filter(fits).collect();
            prop_assert_eq!(values.len(), expected.len());
            for ((digest, bytes), entry) in values.iter().zip(expected) {
                prop_assert_eq!(*digest, entry.value);
                prop_assert_eq!(Some(bytes.clone()), value_of(&entry.key));
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Bytes from a peer that differ from the encoding of `page` can only change hints and omit inline
/// values.
fn harmless(name: &F, page: &Page, bytes: &[u8]) {
    let Ok((decoded, values)) = Page::check(name, bytes) else { return };
    assert_eq!(decoded.entries(), page.entries());
    let strip = |c: &Child| (c.digest, c.height);
    let children = |p: &Page| p.children().iter().map(strip).collect::<Vec<_>>();
    assert_eq!(children(&decoded), children(page));
    assert_eq!(decoded.rank(), page.rank());
    for (digest, bytes) in &values {
        let head = bytes.as_slice().try_into().ok().and_then(|b| Head::from_bytes(b).ok());
        assert!(value_digest(bytes) == *digest || head.is_some_and(|h| h.digest() == *digest));
    }
    assert_eq!(again(&decoded, values), bytes, "accepted bytes have no second form");
}

/// Encodes a decoded page with its inline values.
fn again(page: &Page, values: InlineValues) -> Vec<u8> {
    let values = RefCell::new(values.into_iter().peekable());
    page.encode(&|e| values.borrow_mut().next_if(|v| v.0 == e.value).map(|v| v.1))
}

#[test]
fn every_flipped_bit_of_a_leaf_is_noticed() {
    // Regression: one changed bit could omit an empty value.
    for seed in seeds("flipped leaf", &[12992185110629250736]) {
        let tree = ChaCha20Rng::seed_from_u64(seed).next_u64();
        let (store, _) = mixed(tree, 40);
        let leaves = store.iter().filter(|(_, page)| page.rank() == 0 && page.len() > 2);
        for (name, page) in leaves.take(3) {
            let bytes = page.encode(&inline);
            for at in 0..bytes.len() {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << (at % 8);
                let outcome = Page::check(name, &flipped);
                assert!(outcome.is_err(), "seed {seed}, byte {at} of {}", bytes.len());
            }
        }
    }
}

#[test]
fn an_empty_value_is_always_inline() {
    let empty = Entry { value: value_digest(b""), ..entry(user("a"), 1) };
    let leaf = Page::Leaf(vec![empty]);
    let bytes = leaf.encode(&|_| None);
    assert_eq!(leaf.encode(&|_| Some(vec![])), bytes);
    assert_eq!(leaf.encode(&|_| Some(b"wrong".to_vec())), bytes);
    assert_eq!(Page::decode(&bytes).unwrap().1, [(empty.value, vec![])]);
    let mut omitted = bytes;
    *omitted.last_mut().unwrap() = 0;
    assert_eq!(Page::decode(&omitted), Err(PageError::EmptyValueOmitted { index: 0 }));

    // A tombstone and a head entry with that digest have no inline value.
    let head = Entry { value: value_digest(b""), ..entry(Key::head(3), 1) };
    let bytes = Page::Leaf(vec![head]).encode(&|_| Some(vec![]));
    assert!(Page::decode(&bytes).unwrap().1.is_empty());
}

#[test]
fn every_flipped_bit_of_an_internal_page_is_noticed_or_a_hint() {
    let (store, _) = tree_of(numbered(3000));
    let pages = store.iter().filter(|(_, page)| page.rank() > 0);
    let mut hints_changed = 0;
    for (name, page) in pages {
        let bytes = page.encode(&inline);
        for at in 0..bytes.len().min(600) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            harmless(name, page, &flipped);
            if let Ok((decoded, _)) = Page::check(name, &flipped) {
                let hints = |p: &Page| p.children().iter().map(|c| c.last_key).collect::<Vec<_>>();
                assert_ne!(hints(&decoded), hints(page));
                hints_changed += 1;
            }
        }
    }
    assert!(hints_changed > 0);
}

#[test]
fn cut_and_longer_bytes_are_refused() {
    let (store, _) = mixed(7, 60);
    for (name, page) in store.iter() {
        let bytes = page.encode(&inline);
        for length in 0..bytes.len() {
            assert!(Page::decode(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(Page::check(name, &longer), Err(PageError::Length(DecodeError::Trailing(1))));
    }
}

#[test]
fn hostile_bytes_do_no_harm() {
    let (store, _) = mixed(8, 100);
    let pages: Vec<_> = store.iter().map(|(_, page)| page.encode(&inline)).collect();
    let outcome = runner("hostile bytes", 3000).run(&any::<u64>(), |seed| {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let mut bytes = pages.choose(rng).unwrap().clone();
        match rng.gen_range(0..4) {
            0 => {
                bytes = vec![0; rng.gen_range(0..400)];
                rng.fill_bytes(&mut bytes);
                if bytes.len() > 6 {
                    bytes[..2].copy_from_slice(&[1, rng.gen_range(0..6)]);
                    bytes[2..5].fill(0);
                }
            }
            1 => {
                for _ in 0..rng.gen_range(1..5) {
                    let at = rng.gen_range(0..bytes.len());
                    bytes[at] = rng.gen();
                }
            }
            2 => {
                let other = pages.choose(rng).unwrap();
                let at = rng.gen_range(0..bytes.len().min(other.len()));
                bytes.truncate(at);
                bytes.extend_from_slice(&other[at..]);
            }
            _ => {
                let at = rng.gen_range(0..bytes.len());
                bytes.remove(at);
            }
        }
        if let Ok((page, values)) = Page::decode(&bytes) {
            prop_assert_eq!(again(&page, values), bytes);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn claims_of_many_items_allocate_nothing() {
    for rank in 0..=4u8 {
        for count in [1u32, 7, 1 << 20, (1 << 20) + 1, u32::MAX] {
            let mut bytes = vec![2, rank];
            bytes.extend_from_slice(&count.to_be_bytes());
            let refused = PageError::TooManyItems { count, bytes: 0 };
            assert_eq!(Page::decode(&bytes), Err(refused));
        }
        assert_eq!(Page::decode(&[2, rank, 0, 0, 0, 0]), Err(PageError::Empty));
    }
    assert_eq!(Page::decode(&[1, 0]), Err(PageError::UnknownFormat { format: 1 }));
    assert_eq!(Page::decode(&[2, 5]), Err(PageError::UnknownRank { rank: 5 }));
    let long = vec![1; MAX_PAGE_BYTES + 1];
    assert_eq!(Page::decode(&long), Err(PageError::TooLong { bytes: long.len() }));
}

#[test]
fn a_page_under_another_name_is_refused() {
    let (store, root) = mixed(9, 100);
    let (other, _) = mixed(10, 100);
    for (name, page) in other.iter() {
        if *name != root {
            let refused = PageError::WrongName { expected: root, actual: *name };
            assert_eq!(Page::check(&root, &page.encode(&inline)), Err(refused));
        }
    }
    assert!(store.len() > 5);
}

#[test]
fn heights_must_be_those_of_one_page() {
    let end = |key: Key| Child { digest: F::from(1u64), height: 6, last_key: key };
    let name =
        |children: &[Child], rank| Page::Internal { rank, children: children.to_vec() }.name();
    let (a, b) = (user("a"), user("b"));
    assert!(name(&[end(a)], 1).is_ok());
    let low = Child { height: 3, ..end(a) };
    assert!(name(&[low, end(b)], 1).is_ok());
    let wrong = |index, rank, height| Err(PageError::Height { index, rank, height });
    assert_eq!(name(&[low], 1), wrong(0, 1, 3), "does not end");
    assert_eq!(name(&[end(a), end(b)], 1), wrong(0, 1, 6), "ends twice");
    assert_eq!(name(&[Child { height: 2, ..low }, end(b)], 1), wrong(0, 1, 2));
    assert_eq!(name(&[Child { height: 7, ..end(a) }], 1), wrong(0, 1, 7), "above the cap");
    assert_eq!(name(&[Child { height: 11, ..end(a) }], 4), wrong(0, 4, 11));
    assert_eq!(name(&[Child { height: 13, ..end(a) }], 4), wrong(0, 4, 13));
    assert_eq!(name(&[low, end(a)], 1), Err(PageError::Unsorted { index: 1 }));
    assert_eq!(name(&[end(a)], 0), Err(PageError::UnknownRank { rank: 0 }));
    assert_eq!(name(&[end(a)], 5), Err(PageError::UnknownRank { rank: 5 }));

    // A part of a leaf, and two leaves in one page.
    let all = whole(numbered(5).filter(|e| rootfold_core::height::key_height(&e.key) < 3));
    let index = all.len() - 2;
    let cut = Page::Leaf(all[..=index].to_vec()).name();
    assert!(matches!(cut, Err(PageError::Height { index: i, rank: 0, .. }) if i == index));
    let tall = entry(crate::support::of_height(3, 0), 1);
    let both = Page::Leaf(whole([tall])).name();
    assert_eq!(both, Err(PageError::Height { index: 1, rank: 0, height: 3 }));
    assert_eq!(Page::Leaf(vec![]).name(), Err(PageError::Empty));
}

/// A part of a leaf page: one user entry, without the item that ends the page. Decoding accepts it.
fn one_entry(entry: &Entry, value: &[u8]) -> Vec<u8> {
    let mut bytes = Page::Leaf(vec![*entry]).encode(&|_| None);
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(&(value.len() as u16 + 1).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

#[test]
fn a_wrong_inline_value_is_refused() {
    let of = |key: Key, value: F| Entry { value, ..entry(key, 1) };
    let good = of(user("a"), value_digest(b"right"));
    assert!(Page::decode(&one_entry(&good, b"right")).is_ok());
    let wrong = Err(PageError::InlineValue { index: 0 });
    assert_eq!(Page::decode(&one_entry(&good, b"wrong")), wrong);
    assert_eq!(Page::decode(&one_entry(&good, b"")), wrong);
    assert_eq!(Page::decode(&one_entry(&of(user("a"), tombstone()), b"")), wrong);
    assert!(Page::decode(&one_entry(&of(user("a"), value_digest(b"")), b"")).is_ok());

    let long = vec![5; MAX_INLINE_VALUE + 1];
    let refused = Err(PageError::InlineLength { index: 0, length: long.len() });
    assert_eq!(Page::decode(&one_entry(&of(user("a"), value_digest(&long)), &long)), refused);
    let most = &long[1..];
    assert!(Page::decode(&one_entry(&of(user("a"), value_digest(most)), most)).is_ok());

    let head = of(Key::head(5), head_of(5).digest());
    assert!(Page::decode(&one_entry(&head, &head_of(5).to_bytes())).is_ok());
    assert_eq!(Page::decode(&one_entry(&head, &head_of(6).to_bytes())), wrong);
    let refused = Err(PageError::InlineLength { index: 0, length: 5 });
    assert_eq!(Page::decode(&one_entry(&head, b"right")), refused);
    // The bytes of a head are not a user value, and a user value is not a head.
    let as_value = of(Key::head(5), value_digest(&head_of(5).to_bytes()));
    assert_eq!(Page::decode(&one_entry(&as_value, &head_of(5).to_bytes())), wrong);
    let as_head = of(user("a"), head_of(5).digest());
    assert_eq!(Page::decode(&one_entry(&as_head, &head_of(5).to_bytes())), wrong);
    let mut overflowing = head_of(5).to_bytes();
    overflowing[..32].fill(0xff);
    let refused = Page::decode(&one_entry(&head, &overflowing));
    assert!(matches!(refused, Err(PageError::Field { index: 0, .. })));

    let sentinel = of(Key::END, value_digest(b"x"));
    assert_eq!(Page::decode(&one_entry(&sentinel, b"x")), wrong);
}

#[test]
fn wrong_inline_values_are_not_sent() {
    let good = Entry { value: value_digest(b"right"), ..entry(user("a"), 1) };
    let leaf = Page::Leaf(vec![good]);
    let plain = leaf.encode(&|_| None);
    assert_eq!(leaf.encode(&|_| Some(b"wrong".to_vec())), plain);
    assert_eq!(leaf.encode(&|_| Some(vec![0; 70_000])), plain);
    assert!(leaf.encode(&|_| Some(b"right".to_vec())).len() > plain.len());
}

#[test]
fn keys_have_one_form() {
    let owned = |name: &[u8]| Key::owned(7, name).unwrap();
    let index = Key::from_bytes([INDEX_BYTE; 93]);
    let keys = [
        user("abc"),
        user(""),
        owned(b"abc"),
        owned(&[b'k'; 87]),
        index,
        Key::head(7),
        Key::START,
        Key::END,
    ];
    for key in keys {
        let plain = Page::Leaf(vec![entry(key, 1)]).encode(&|_| None);
        assert_eq!(Page::decode(&plain).unwrap().0.entries()[0].key, key);
        let rest = &plain[plain.len() - 46..];
        let mut spelled = plain[..6].to_vec();
        spelled.push(255);
        spelled.extend_from_slice(key.as_bytes());
        spelled.extend_from_slice(rest);
        if plain[6] == 255 {
            assert_eq!(spelled, plain);
        } else {
            let refused = PageError::KeyForm { index: 0, form: 255 };
            assert_eq!(Page::decode(&spelled), Err(refused));
        }
    }
    for form in 92..253u8 {
        let mut bytes = Page::Leaf(vec![entry(Key::START, 1)]).encode(&|_| None);
        bytes[6] = form;
        assert_eq!(Page::decode(&bytes), Err(PageError::KeyForm { index: 0, form }));
    }
}

#[test]
fn the_format_is_frozen() {
    let value = value_digest(b"blue");
    let stamp = Stamp { ts: 0x0102_0304_0506_0708, writer: 9 };
    let leaf = Page::Leaf(vec![
        Entry { value: F::from(3u64), stamp, key: Key::head(2) },
        Entry { value, stamp, key: user("hue") },
    ]);
    let stamp = "010203040506070800000009";
    let expected = format!(
        "020000000002fe00000002{stamp}{:064x}000003687565{stamp}00{}0005{}",
        3,
        &blake3::hash(b"blue").to_hex()[..62],
        hex::encode("blue"),
    );
    let inline = |e: &Entry| (e.value == value).then(|| b"blue".to_vec());
    assert_eq!(hex::encode(leaf.encode(&inline)), expected);

    let child = Child { digest: F::from(5u64), height: 12, last_key: Key::END };
    let page = Page::Internal { rank: 4, children: vec![child] };
    let expected = format!("020400000001{:064x}0cff{}", 5, "ff".repeat(93));
    assert_eq!(hex::encode(page.encode(&|_| None)), expected);
}

#[test]
fn a_run_without_boundaries_makes_one_large_page() {
    // An adversary who grinds keys drops every key that would end a page.
    let low = numbered(3000).filter(|e| rootfold_core::height::key_height(&e.key) < 3);
    let (store, root) = tree_of(low);
    assert_eq!(store.len(), 5);
    for (name, page) in store.iter() {
        Page::check(name, &page.encode(&|_| None)).unwrap();
    }
    assert!(tree::lookup(&store, root, &user("k5")).unwrap().is_some());
}
