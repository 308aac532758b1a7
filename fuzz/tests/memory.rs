//! Memory bounds for inputs with false lengths and counts, and for inputs of the largest size.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    hint::black_box,
    sync::{Mutex, MutexGuard, PoisonError},
};

use prost::{bytes::Bytes, Message};
use rootfold_core::{
    eddsa::SecretKey,
    item::Entry,
    key::Key,
    space::{Genesis, Sharing},
    stamp::Stamp,
    tree::{Child, Page},
    value::value_digest,
    F,
};
use rootfold_fuzz::{memory::peak, named, Verdict, TARGETS};
use rootfold_proto::{
    limits::{MAX_FRONTIER, MAX_MESSAGE_BYTES},
    v1,
};

/// Serialises the tests, since the measurement includes the allocations of all threads.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message of about `length` bytes that consists of empty elements. Their field number is the
/// last element of `path`. The earlier elements are the numbers of the enclosing fields.
fn empty_elements(path: &[u8], length: usize) -> Vec<u8> {
    let (number, below) = path.split_first().unwrap();
    let tag = number << 3 | 2;
    if below.is_empty() {
        return [tag, 0].repeat(length / 2);
    }
    let content = empty_elements(below, length - 8);
    let mut out = vec![tag];
    prost::encode_length_delimiter(content.len(), &mut out).unwrap();
    out.extend(content);
    out
}

fn paths() -> Vec<Vec<u8>> {
    let fields = 1..=4u8;
    let longer = |path: &Vec<u8>| -> Vec<Vec<u8>> {
        fields.clone().map(|number| [&path[..], &[number]].concat()).collect()
    };
    let mut paths: Vec<Vec<u8>> = fields.clone().map(|number| vec![number]).collect();
    for _ in 1..3 {
        let below: Vec<_> = paths.iter().flat_map(longer).collect();
        paths.extend(below);
    }
    paths.sort();
    paths.dedup();
    paths
}

#[test]
fn many_empty_elements_stay_within_the_memory_bound() {
    let _alone = alone();
    let messages = TARGETS.iter().filter(|target| target.name.contains('_'));
    let messages: Vec<_> = messages.filter(|target| target.name != "altered_proof").collect();
    assert_eq!(paths().len(), 4 + 16 + 64);
    for path in paths() {
        for length in [1 << 17, 1 << 20] {
            let bytes = empty_elements(&path, length);
            for target in &messages {
                target.attack(&bytes);
            }
        }
    }
}

/// Shows why the number of elements is limited: without the limit, a message of the largest length
/// takes more than 50 times its length.
#[test]
fn without_the_element_limit_empty_elements_exceed_the_memory_bound() {
    let _alone = alone();
    let bytes = Bytes::from(empty_elements(&[2, 2, 3], MAX_MESSAGE_BYTES));
    let bound = named("submit_request").unwrap().memory.bound(bytes.len());
    let (decoded, unlimited) = peak(|| v1::SubmitRequest::decode(bytes.clone()));
    assert!(decoded.is_ok());
    println!("{unlimited} bytes of memory without the limit");
    assert!(unlimited > 50 * bytes.len() && unlimited > 2 * bound, "{unlimited} bytes");
    // The first call initialises the table of fields.
    rootfold_proto::decode::<v1::SubmitRequest>(Bytes::new()).unwrap();
    let (refused, limited) = peak(|| rootfold_proto::decode::<v1::SubmitRequest>(bytes));
    assert!(refused.is_err());
    assert!(limited < 1 << 10, "{limited}");
}

#[test]
fn peak_measures_allocations() {
    let _alone = alone();
    let (_, seen) = peak(|| drop(black_box(vec![1u8; 1 << 20])));
    assert!((1 << 20..1 << 21).contains(&seen), "{seen}");
}

#[test]
fn large_lengths_and_counts_stay_within_the_memory_bound() {
    let _alone = alone();
    for target in &TARGETS {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            for length in [1, 40, 4_000] {
                target.attack(&vec![byte; length]);
            }
        }
    }
}

#[test]
fn long_pages_stay_within_the_memory_bound() {
    let _alone = alone();
    let key = |number: u32| Key::shared(&number.to_be_bytes()).unwrap();
    let child = |number: u32| Child { digest: F::from(number), height: 3, last_key: key(number) };
    let mut children: Vec<Child> = (0..20_000).map(child).collect();
    children.last_mut().unwrap().height = 6;
    let value = value_digest(b"");
    let entry = |number: u32| Entry { key: key(number), stamp: Stamp::ZERO, value };
    for page in [Page::Internal { rank: 1, children }, Page::Leaf((0..20_000).map(entry).collect())]
    {
        // Every entry has an empty inline value.
        let bytes = page.encode(&|_| Some(Vec::new()));
        assert!(Page::decode(&bytes).is_ok());
        assert_eq!(named("page").unwrap().attack(&bytes), Verdict::Refused);
        let response = v1::PagesResponse {
            pages: vec![v1::Page { name: vec![0; 32], content: bytes, more: false }],
        };
        named("pages_response").unwrap().attack(&response.encode_to_vec());
    }
}

#[test]
fn long_lists_stay_within_the_memory_bound() {
    let _alone = alone();
    let tip = |writer: u32| v1::WriterTip { writer, seq: u64::MAX, head: vec![0; 32] };
    let fork = |writer: u32| v1::WriterTip { head: Vec::new(), ..tip(writer) };
    let frontier: Vec<_> = (0..MAX_FRONTIER as u32).map(tip).collect();
    let response = v1::FrontierResponse {
        root: vec![0; 32],
        writers: frontier.clone(),
        next: MAX_FRONTIER as u32,
        forked: (0..MAX_FRONTIER as u32).map(fork).collect(),
        snapshot_ops: u64::MAX,
        full_history: true,
    };
    assert_eq!(
        named("frontier_response").unwrap().attack(&response.encode_to_vec()),
        Verdict::Accepted
    );
    let space = rootfold_core::field::to_bytes(&rootfold_fuzz::honest::honest().space.id());
    let without_head = |tip| v1::WriterTip { head: Vec::new(), ..tip };
    let logs = frontier.into_iter().map(without_head).collect();
    let request = v1::LogEntriesRequest { space: space.to_vec(), logs };
    let target = named("log_entries_request").unwrap();
    assert_eq!(target.attack(&request.encode_to_vec()), Verdict::Accepted);

    let key = SecretKey::from_bytes([1; 32]).public_key();
    let genesis = Genesis::new(F::from(1u64), Sharing::Everyone, vec![key; 500]).unwrap();
    assert_eq!(named("genesis").unwrap().attack(&genesis.to_bytes()), Verdict::Accepted);
}
