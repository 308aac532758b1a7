//! Seeds of requests.

use prost::Message;
use rootfold_light::messages;
use rootfold_proto::v1;

use super::{
    honest_seed, hostile_seed,
    messages::{altered, bytes, key, space, Lie},
    Seeds,
};
use crate::honest::{header, honest, TERM};

pub(super) fn add(seeds: &mut Seeds) {
    simple_requests(seeds);
    listing_requests(seeds);
    queries(seeds);
}

fn simple_requests(seeds: &mut Seeds) {
    let request = v1::GenesisRequest { space: space() };
    let lies: &[Lie<v1::GenesisRequest>] = &[
        ("other-space", |r| r.space[31] ^= 1),
        ("space-not-reduced", |r| r.space.fill(0xff)),
        ("long-space", |r| r.space.push(0)),
        ("no-space", |r| r.space.clear()),
    ];
    altered(seeds, "genesis_request", &request, lies);
    let request = v1::LatestSnapshotRequest { space: space() };
    altered(seeds, "latest_snapshot_request", &request, &[("other-space", |r| r.space[31] ^= 1)]);
    let request = v1::FrontierRequest { space: space(), root: space(), first: 0 };
    altered(
        seeds,
        "frontier_request",
        &request,
        &[("other-space", |r| r.space[31] ^= 1), ("cut-root", |r| r.root.truncate(31))],
    );
    let page = v1::FrontierRequest { space: space(), root: Vec::new(), first: 1 };
    honest_seed(seeds, "frontier_request", "second-page", page.encode_to_vec());
    let request = v1::VerifyingKeyRequest { parameters: header().parameters.0.to_vec() };
    altered(
        seeds,
        "verifying_key_request",
        &request,
        &[("other-key", |r| r.parameters[0] ^= 1), ("cut", |r| r.parameters.truncate(31))],
    );
    // A group, which prost would skip; a field longer than the message; a varint of 12 bytes.
    hostile_seed(seeds, "genesis_request", "group", [0x0b, 0x0c]);
    hostile_seed(seeds, "genesis_request", "length-of-all", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    hostile_seed(seeds, "genesis_request", "endless-number", [0xff; 12]);
}

fn listing_requests(seeds: &mut Seeds) {
    let names: Vec<Vec<u8>> = honest().pages.keys().map(bytes).collect();
    let request = v1::PagesRequest { space: space(), names };
    altered(
        seeds,
        "pages_request",
        &request,
        &[
            ("65-names", |r| r.names = vec![r.names[0].clone(); 65]),
            ("short-name", |r| r.names[0].truncate(31)),
            ("other-space", |r| r.space[31] ^= 1),
        ],
    );
    let mut unknown = request;
    unknown.names = vec![vec![1; 32]];
    honest_seed(seeds, "pages_request", "unknown-page", unknown.encode_to_vec());

    let names = honest().values.keys().map(messages::name_out).collect();
    let request = v1::ValuesRequest { space: space(), names };
    altered(
        seeds,
        "values_request",
        &request,
        &[
            ("65-names", |r| r.names = vec![r.names[0].clone(); 65]),
            ("no-kind", |r| r.names[0].kind = 0),
            ("unknown-kind", |r| r.names[0].kind = i32::MIN),
            ("no-digest", |r| r.names[0].digest.clear()),
        ],
    );

    let tip = |writer: u32, seq: u64| v1::WriterTip { writer, seq, head: Vec::new() };
    let request = |logs| v1::LogEntriesRequest { space: space(), logs };
    altered(
        seeds,
        "log_entries_request",
        &request(vec![tip(0, 2), tip(1, 0), tip(9, 5)]),
        &[
            ("in-disorder", |r| r.logs.swap(0, 1)),
            ("a-writer-twice", |r| r.logs[1].writer = 0),
            ("a-head", |r| r.logs[0].head = vec![1; 32]),
        ],
    );
    honest_seed(seeds, "log_entries_request", "of-nobody", request(vec![]).encode_to_vec());
    let beyond = request(vec![tip(0, u64::MAX), tip(u32::MAX, 0)]).encode_to_vec();
    honest_seed(seeds, "log_entries_request", "beyond-the-logs", beyond);
}

fn queries(seeds: &mut Seeds) {
    let get = |text| v1::GetRequest { space: space(), at: 1, key: key(text), root: Vec::new() };
    altered(
        seeds,
        "get_request",
        &get("colour"),
        &[
            ("unknown-state", |r| r.at = 7),
            ("short-key", |r| r.key.truncate(92)),
            ("other-space", |r| r.space[31] ^= 1),
            ("a-root-of-no-state", |r| (r.at, r.root) = (3, vec![1; 32])),
            ("a-root-too-many", |r| r.root = space()),
        ],
    );
    honest_seed(seeds, "get_request", "nothing-there", get("nothing").encode_to_vec());
    for (what, byte) in [("start", 0), ("end", 0xff)] {
        let sentinel = v1::GetRequest { key: vec![byte; 93], ..get("") };
        honest_seed(seeds, "get_request", what, sentinel.encode_to_vec());
    }
    let many = v1::GetManyRequest {
        space: space(),
        at: 1,
        root: Vec::new(),
        keys: ["a", "colour", "nothing"].map(key).into(),
    };
    altered(
        seeds,
        "get_many_request",
        &many,
        &[
            ("no-keys", |r| r.keys.clear()),
            ("a-key-twice", |r| r.keys[1] = r.keys[0].clone()),
            ("in-disorder", |r| r.keys.swap(0, 2)),
            ("too-many-keys", |r| r.keys = vec![r.keys[0].clone(); 65]),
            ("short-key", |r| r.keys[0].truncate(3)),
        ],
    );
    let range = v1::RangeRequest {
        space: space(),
        at: 2,
        from: key(""),
        to: key("z"),
        limit: 3,
        ..Default::default()
    };
    altered(
        seeds,
        "range_request",
        &range,
        &[
            ("backwards", |r| std::mem::swap(&mut r.from, &mut r.to)),
            ("empty", |r| r.to = r.from.clone()),
            ("short-key", |r| r.to.truncate(1)),
            ("no-state", |r| r.at = 0),
            ("no-limit", |r| r.limit = 0),
            ("short-token", |r| r.page_token = vec![1; 125]),
            ("a-token-of-no-state", |r| r.page_token = vec![1; 126]),
        ],
    );
    let find = v1::FindRequest {
        space: space(),
        at: 1,
        term: TERM.to_vec(),
        limit: 2,
        ..Default::default()
    };
    altered(
        seeds,
        "find_request",
        &find,
        &[
            ("no-state", |r| r.at = 0),
            ("no-limit", |r| r.limit = 0),
            ("long-term", |r| r.term = vec![b'a'; 1025]),
            ("short-token", |r| r.page_token = vec![1; 125]),
            ("a-token-of-another-term", |r| r.page_token = vec![1; 126]),
        ],
    );
    let all = v1::FindRequest { limit: 9, reverse: true, values: true, ..find };
    honest_seed(seeds, "find_request", "the-last-first", all.encode_to_vec());
    let none = v1::FindRequest { term: b"dogs".to_vec(), ..all };
    honest_seed(seeds, "find_request", "nothing-there", none.encode_to_vec());
    let all = v1::RangeRequest { from: vec![0; 93], to: vec![0xff; 93], at: 1, limit: 1, ..range };
    honest_seed(seeds, "range_request", "one-of-all", all.encode_to_vec());
    let all = v1::RangeRequest { limit: u32::MAX, ..all };
    honest_seed(seeds, "range_request", "all", all.encode_to_vec());
    let back = v1::RangeRequest { limit: 2, reverse: true, values: true, ..all };
    honest_seed(seeds, "range_request", "the-last-two", back.encode_to_vec());
}
