//! Seeds of responses.

use prost::Message;
use rootfold_core::{key::Key, F};
use rootfold_light::{
    messages,
    values::{Value, ValueName},
};
use rootfold_node::server::QueryService;
use rootfold_proto::v1::{self, query_service_server::QueryService as Query};
use tonic::Request;

use super::{
    honest_seed, hostile_seed,
    messages::{altered, bytes, key, space},
    Seeds,
};
use crate::honest::{block_on, honest, TERM, VERIFYING_KEY};

pub(super) fn add(seeds: &mut Seeds) {
    simple_responses(seeds);
    listing_responses(seeds);
    answers(seeds);
    files(seeds);
}

/// The files of a published space that are no messages of a service.
fn files(seeds: &mut Seeds) {
    let name = |of: u8| vec![of; 32];
    let pointer = v1::Published {
        version: 1,
        space: space(),
        parameters: name(2),
        published_at: 1,
        genesis: name(3),
        verifying_key: name(4),
        snapshot: name(5),
        frontier: vec![name(6)],
        tail: vec![name(7), name(8)],
    };
    altered(
        seeds,
        "published",
        &pointer,
        &[
            ("another-version", |p| p.version = 2),
            ("no-frontier", |p| p.frontier.clear()),
            ("a-short-name", |p| p.tail[0].truncate(31)),
            ("too-many-objects", |p| p.tail = vec![vec![9; 32]; 4_097]),
            ("no-space", |p| p.space.clear()),
        ],
    );
    let keys = v1::PrimaryKeys { keys: vec![key("a"), key("b")] };
    altered(seeds, "primary_keys", &keys, &[("a-short-key", |k| k.keys[0].truncate(92))]);
}

fn simple_responses(seeds: &mut Seeds) {
    let response = v1::GenesisResponse { genesis: honest().genesis.to_bytes() };
    altered(
        seeds,
        "genesis_response",
        &response,
        &[
            ("another-salt", |r| r.genesis[31] ^= 1),
            ("count-of-all", |r| r.genesis[32..36].fill(0xff)),
            ("nothing", |r| r.genesis.clear()),
        ],
    );
    let response = v1::VerifyingKeyResponse { verifying_key: VERIFYING_KEY.to_vec() };
    altered(
        seeds,
        "verifying_key_response",
        &response,
        &[
            ("a-digest-changed", |r| r.verifying_key[100] ^= 1),
            ("cut", |r| r.verifying_key.truncate(99)),
        ],
    );
    let response = v1::SubmitResponse { accepted: u64::MAX, root: space() };
    altered(seeds, "submit_response", &response, &[("no-root", |r| r.root.clear())]);
    let response = v1::CheckResponse { accepted: true, refusal: String::new(), micros: u64::MAX };
    altered(
        seeds,
        "check_response",
        &response,
        &[
            ("words-for-a-terminal", |r| {
                (r.accepted, r.refusal) = (false, "\u{1b}[31mred\u{7}".repeat(100));
            }),
            ("accepted-with-a-reason", |r| r.refusal = "why".into()),
            ("refused-without-a-reason", |r| r.accepted = false),
        ],
    );
    hostile_seed(seeds, "check_response", "not-utf8", [0x12, 2, 0xc3, 0x28]);
    let tip = |writer: u32, seq: u64| v1::WriterTip { writer, seq, head: space() };
    let fork = |writer: u32| v1::WriterTip { head: Vec::new(), ..tip(writer, 1) };
    let writers = vec![tip(0, 4), tip(1, 2), tip(u32::MAX, u64::MAX)];
    let response = v1::FrontierResponse {
        root: space(),
        writers,
        next: 0,
        forked: vec![fork(1), fork(7)],
        snapshot_ops: 5,
        full_history: true,
    };
    altered(
        seeds,
        "frontier_response",
        &response,
        &[
            ("in-disorder", |r| r.writers.reverse()),
            ("a-writer-twice", |r| r.writers[1].writer = 0),
            ("a-head-of-three-bytes", |r| r.writers[0].head.truncate(3)),
            ("no-head", |r| r.writers[0].head.clear()),
            ("a-page-that-goes-back", |r| r.next = 1),
            ("forks-in-disorder", |r| r.forked.reverse()),
            ("no-root", |r| r.root.clear()),
        ],
    );
}

fn listing_responses(seeds: &mut Seeds) {
    let page = |(name, (_, content)): (&F, &(_, Vec<u8>))| v1::Page {
        name: bytes(name),
        content: content.clone(),
        more: false,
    };
    let response = v1::PagesResponse { pages: honest().pages.iter().map(page).collect() };
    altered(
        seeds,
        "pages_response",
        &response,
        &[
            ("under-another-name", |r| r.pages[0].name = r.pages[1].name.clone()),
            ("twice", |r| r.pages[1] = r.pages[0].clone()),
            ("never-complete", |r| {
                r.pages.truncate(1);
                r.pages[0].more = true;
            }),
            ("no-pages", |r| r.pages.clear()),
        ],
    );
    let mut parts = response;
    let whole = parts.pages.swap_remove(0);
    let (head, tail) = whole.content.split_at(whole.content.len() / 2);
    let part = |content: &[u8], more| v1::Page { content: content.to_vec(), more, ..whole.clone() };
    parts.pages = vec![part(head, true), part(tail, false)];
    honest_seed(seeds, "pages_response", "in-parts", parts.encode_to_vec());

    let value = |(name, content): (&ValueName, &Vec<u8>)| {
        messages::value_out(Value { name: *name, content: content.clone() })
    };
    let response = v1::ValuesResponse { values: honest().values.iter().map(value).collect() };
    altered(
        seeds,
        "values_response",
        &response,
        &[
            ("another", |r| r.values[0].content.push(0)),
            ("no-name", |r| r.values[0].name = None),
            ("twice", |r| r.values[1] = r.values[0].clone()),
            ("too-large", |r| r.values[0].content = vec![0; 500]),
            ("no-values", |r| r.values.clear()),
        ],
    );
}

/// Seeds of the responses to queries, made from the responses of the honest node.
fn answers(seeds: &mut Seeds) {
    let query = QueryService::new(honest().space.clone());
    let get = v1::GetRequest { space: space(), at: 1, key: key("colour"), root: Vec::new() };
    let response = block_on(query.get(Request::new(get.clone()))).expect("it answers").into_inner();
    altered(
        seeds,
        "get_response",
        &response,
        &[
            ("another-value", |r| r.value = b"blue".to_vec()),
            ("no-entry", |r| r.entry = None),
            ("another-root", |r| r.root[31] ^= 1),
            ("a-page-less", |r| drop(r.pages.pop())),
            ("a-page-twice", |r| r.pages.push(r.pages[0].clone())),
            ("a-page-without-name", |r| r.pages[0].name.clear()),
            ("half-a-page", |r| r.pages[0].more = true),
            ("a-value-for-nothing", |r| r.entry.as_mut().expect("it exists").ts += 1),
        ],
    );
    let get = v1::GetRequest { key: key("nothing"), ..get };
    let response = block_on(query.get(Request::new(get))).expect("it answers").into_inner();
    honest_seed(seeds, "get_response", "nothing-there", response.encode_to_vec());
    let claimed = v1::GetResponse { value: b"something".to_vec(), ..response };
    hostile_seed(seeds, "get_response", "a-value-of-nothing", claimed.encode_to_vec());

    let (from, to) = (Key::START, Key::END);
    let range = v1::RangeRequest {
        space: space(),
        at: 1,
        from: from.as_bytes().to_vec(),
        to: to.as_bytes().to_vec(),
        limit: 1000,
        ..Default::default()
    };
    let response =
        block_on(query.range(Request::new(range.clone()))).expect("it answers").into_inner();
    altered(
        seeds,
        "range_response",
        &response,
        &[
            ("an-entry-left-out", |r| drop(r.entries.remove(1))),
            ("an-entry-changed", |r| r.entries[1].ts += 1),
            ("cut-short", |r| {
                r.next_page_token = [&[1], &r.root[..], &r.entries[1].key[..]].concat();
            }),
            ("a-token-of-another-state", |r| {
                r.next_page_token = [&[1], &[1; 32][..], &r.entries[1].key[..]].concat();
            }),
            ("a-value-of-nothing", |r| r.values.push(some_value())),
            ("a-page-less", |r| drop(r.pages.pop())),
            ("no-pages", |r| r.pages.clear()),
        ],
    );
    let back = v1::RangeRequest { limit: 2, reverse: true, values: true, ..range.clone() };
    let response = block_on(query.range(Request::new(back))).expect("it answers").into_inner();
    honest_seed(seeds, "range_response", "the-last-two", response.encode_to_vec());
    let many = v1::GetManyRequest {
        space: space(),
        at: 1,
        root: Vec::new(),
        keys: ["colour", "nothing"].map(key).into(),
    };
    let response = block_on(query.get_many(Request::new(many))).expect("it answers").into_inner();
    altered(
        seeds,
        "get_many_response",
        &response,
        &[
            ("an-entry-left-out", |r| drop(r.entries.pop())),
            ("an-entry-twice", |r| r.entries.push(r.entries[0].clone())),
            ("a-page-less", |r| drop(r.pages.pop())),
            ("a-value-of-nothing", |r| r.values.push(some_value())),
            ("another-root", |r| r.root[31] ^= 1),
        ],
    );
    let find = v1::FindRequest {
        space: space(),
        at: 1,
        term: TERM.to_vec(),
        limit: 9,
        values: true,
        ..Default::default()
    };
    let asked = Request::new(find.clone());
    let response = block_on(query.find(asked)).expect("it answers").into_inner();
    altered(
        seeds,
        "find_response",
        &response,
        &[
            ("an-entry-left-out", |r| drop(r.marked.remove(0))),
            ("an-entry-twice", |r| r.marked.push(r.marked[0].clone())),
            ("another-entry", |r| r.marked[0].entry = r.marked[2].entry.clone()),
            ("another-stamp", |r| r.marked[0].entry.as_mut().expect("it is set").ts += 1),
            ("a-path-cut", |r| drop(r.marked[0].path.pop())),
            ("a-path-changed", |r| r.marked[0].path[12].after.clear()),
            ("a-page-less", |r| drop(r.pages.pop())),
            ("another-root", |r| r.root[31] ^= 1),
        ],
    );
    let back = v1::FindRequest { limit: 1, reverse: true, ..find };
    let response = block_on(query.find(Request::new(back))).expect("it answers").into_inner();
    honest_seed(seeds, "find_response", "the-last", response.encode_to_vec());
    // An honest answer to another question: the shared keys alone. The test of wasm reads it.
    let to = Key::shared(&[0xff; 2]).expect("the key is short").as_bytes().to_vec();
    let shared = v1::RangeRequest { to, ..range.clone() };
    let response = block_on(query.range(Request::new(shared))).expect("it answers").into_inner();
    hostile_seed(seeds, "range_response", "of-another-range", response.encode_to_vec());
    let some = v1::RangeRequest { limit: 3, ..range };
    let response = block_on(query.range(Request::new(some))).expect("it answers").into_inner();
    honest_seed(seeds, "range_response", "first-three", response.encode_to_vec());
}

/// A value that no entry has.
fn some_value() -> v1::Value {
    messages::value_out(Value::user(b"a value of nothing".to_vec()))
}
