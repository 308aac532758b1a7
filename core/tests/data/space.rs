//! Spaces.

use ark_ff::AdditiveGroup;
use rootfold_core::{
    eddsa::{KeyRefused, PublicKey},
    head::Head,
    item::Entry,
    key::Key,
    space::{Genesis, GenesisError, Sharing, MAX_GENESIS_WRITERS},
    stamp::Stamp,
    F,
};

use crate::common::{salt, secret_of};

fn genesis(writers: u32) -> Genesis {
    let keys = (0..writers).map(|w| secret_of(w).public_key()).collect();
    Genesis::new(salt(), Sharing::Everyone, keys).unwrap()
}

#[test]
fn entries_are_sentinels_and_heads_in_order() {
    let genesis = genesis(300);
    let entries = genesis.entries();
    assert_eq!(entries.len(), 305);
    assert!(entries.windows(2).all(|pair| pair[0].key < pair[1].key));
    assert_eq!(entries[0], Entry::start_sentinel());
    assert_eq!(entries[301..304], Entry::fences());
    assert_eq!(entries[304], Entry::end_sentinel());
    for (writer, tip) in genesis.heads() {
        let head = Head::first(salt(), secret_of(writer).public_key(), true);
        assert_eq!(tip.head, head);
        let stamp = Stamp { ts: 0, writer };
        let entry = Entry { key: Key::head(writer), stamp, value: head.digest() };
        assert_eq!(entries[1 + writer as usize], entry);
        assert_eq!(tip.entry(writer), entry);
    }
}

#[test]
fn the_id_binds_salt_and_keys() {
    let base = genesis(3);
    let mut others = vec![genesis(2), genesis(4)];
    others.push(Genesis { salt: salt() + F::from(1u64), ..base.clone() });
    let mut swapped = base.clone();
    swapped.writers.swap(0, 2);
    others.push(swapped);
    others.push(Genesis { sharing: Sharing::Owner, ..base.clone() });
    for other in others {
        assert_ne!(base.space_id(), other.space_id());
    }
    assert_eq!(base.space_id(), genesis(3).space_id());
}

#[test]
fn refuses_bad_configs() {
    let count = |n: u64| Err(GenesisError::WriterCount { count: n });
    assert_eq!(Genesis::new(salt(), Sharing::Everyone, vec![]), count(0));
    let key = secret_of(0).public_key();
    let too_many = MAX_GENESIS_WRITERS + 1;
    assert_eq!(
        Genesis::new(salt(), Sharing::Everyone, vec![key; too_many]),
        count(too_many as u64)
    );
    let small = PublicKey { x: F::ZERO, y: -F::from(1u64) };
    let source = KeyRefused::SmallOrder;
    let error = Genesis::new(salt(), Sharing::Everyone, vec![key, small]).unwrap_err();
    assert_eq!(error, GenesisError::Key { writer: 1, source });
}

#[test]
fn refuses_bad_bytes() {
    let good = genesis(2).to_bytes();
    assert_eq!(Genesis::from_bytes(&good), Ok(genesis(2)));
    for length in 0..good.len() {
        assert!(Genesis::from_bytes(&good[..length]).is_err(), "cut to {length}");
    }
    let longer = [good.clone(), vec![0]].concat();
    assert_eq!(Genesis::from_bytes(&longer), Err(GenesisError::Length { length: longer.len() }));
    // A count that would need more memory than there is.
    let mut huge = good.clone();
    huge[33..37].fill(0xff);
    let count = u64::from(u32::MAX);
    assert_eq!(Genesis::from_bytes(&huge), Err(GenesisError::WriterCount { count }));
    let mut none = good[..37].to_vec();
    none[36] = 0;
    assert_eq!(Genesis::from_bytes(&none), Err(GenesisError::WriterCount { count: 0 }));
    let mut sharing = good.clone();
    sharing[32] = 2;
    assert_eq!(Genesis::from_bytes(&sharing), Err(GenesisError::Sharing { byte: 2 }));
    let mut salt = good;
    salt[..32].fill(0xff);
    assert!(matches!(Genesis::from_bytes(&salt), Err(GenesisError::Field(_))));
}
