//! Queries over gRPC: every answer has its proof, and lies are refused.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{
    key,
    net::{connect, serve, serve_service, Lie, Running},
    proved, shared_prefix, World, NOW,
};
use rootfold_core::{
    field,
    item::Entry,
    key::{ApplicationKey, Key},
    mark::Mark,
    F,
};
use rootfold_light::{
    messages,
    query::{At, FindQuery, KeyPrefix, RangeQuery, Voucher},
    signing::{compose, Change},
    values::ValueName,
    ResponseError,
};
use rootfold_node::{
    bootstrap::{self, Bootstrap},
    client::{Peer, PeerCause, PeerError},
    prove::Prover,
    space::EpochLimits,
};
use rootfold_proto::{
    reason::Reason,
    v1::{
        self,
        query_service_client::QueryServiceClient,
        query_service_server::{QueryService, QueryServiceServer},
    },
};
use tokio::time::timeout;
use tokio_stream::Pending;
use tonic::{transport::Channel, Request, Response, Status};

async fn raw(server: &Running) -> QueryServiceClient<Channel> {
    QueryServiceClient::connect(format!("http://{}", server.address)).await.unwrap()
}

fn names(entries: &[Entry]) -> Vec<String> {
    let name =
        |entry: &Entry| String::from_utf8(entry.key.application_key().unwrap().bytes.to_vec());
    entries.iter().map(|entry| name(entry).unwrap()).collect()
}

#[tokio::test]
async fn answers_have_their_proofs() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let peer = connect(&server).await;
    let (space, root) = (world.space.id(), world.space.status().root);

    let got = peer.get(space, At::Latest, &key("a")).await.unwrap();
    assert_eq!((got.state.root, got.value.as_deref()), (root, Some(b"one".as_slice())));
    assert_eq!((got.state.vouched_by, got.state.snapshot), (Some(Voucher::Signed), None));
    let got = peer.get(space, At::Latest, &key("c")).await.unwrap();
    assert_eq!(got.value, Some(vec![7; 5_000]));
    let got = peer.get(space, At::Latest, &key("gone")).await.unwrap();
    assert!(got.entry.is_some() && got.value.is_none());
    let got = peer.get(space, At::Latest, &key("nothing")).await.unwrap();
    assert_eq!((got.entry, got.value), (None, None));
    // Without a snapshot, genesis is the newest.
    let got = peer.get(space, At::Snapshot, &key("a")).await.unwrap();
    assert_eq!((got.state.root, got.entry), (space, None));
    assert_eq!(got.state.vouched_by, Some(Voucher::Proven));

    let query = RangeQuery::new(key("")..key("h"), 100);
    let all = peer.range(space, At::Latest, &query).await.unwrap();
    assert_eq!(names(&all.entries), ["a", "b", "c", "gone"]);
    assert_eq!((all.state.root, all.next), (root, None));
    let small = ValueName::of_entry(&all.entries[0]).unwrap();
    assert_eq!(all.values[&small], b"one");
    let large = ValueName::of_entry(&all.entries[2]).unwrap();
    assert!(!all.values.contains_key(&large));
    let with_values = peer.range(space, At::Latest, &query.clone().with_values()).await.unwrap();
    assert_eq!(with_values.values[&large], vec![7; 5_000]);
    let back = peer.range(space, At::Latest, &query.reversed()).await.unwrap();
    assert_eq!(names(&back.entries), ["gone", "c", "b", "a"]);

    let whole = RangeQuery::new(Key::START..Key::END, 1000);
    let whole = peer.range(space, At::Latest, &whole).await.unwrap();
    assert_eq!(whole.entries.len() as u64, world.space.status().entries + 4);
    let prefix = RangeQuery::prefix(ApplicationKey::shared(b"go"), 5).unwrap();
    assert_eq!(names(&peer.range(space, At::Latest, &prefix).await.unwrap().entries), ["gone"]);

    let keys = ["a", "aa", "c", "gone"].map(key);
    let many = peer.get_many(space, At::Latest, &keys).await.unwrap();
    let held: Vec<bool> = many.entries.values().map(Option::is_some).collect();
    assert_eq!(held, [true, false, true, true]);
    assert_eq!(many.values[&large], vec![7; 5_000]);
    assert_eq!(many.state.root, root);
}

#[tokio::test]
async fn pages_of_a_range_are_of_one_state() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let peer = connect(&server).await;
    let (space, root) = (world.space.id(), world.space.status().root);
    for reverse in [false, true] {
        let query = RangeQuery { reverse, ..RangeQuery::new(key("")..key("h"), 1) };
        let (mut page, mut entries, mut round) = (query.clone(), Vec::new(), 0);
        loop {
            let answer = peer.range(space, At::Latest, &page).await.unwrap();
            let pinned = page.page.map_or(world.space.status().root, |token| token.root);
            assert_eq!(answer.state.root, pinned);
            entries.extend(answer.entries);
            let Some(next) = answer.next else { break };
            page = query.page(next);
            round += 1;
            // The latest state moves on meanwhile, and garbage is collected.
            world.write(2, &[("a", Some(&[round])), ("d", Some(&[round]))]);
            world.space.collect(1_000).unwrap();
        }
        let mut expected = vec!["a", "b", "c", "gone"];
        if reverse {
            // The second round of writing is in the state with which it begins.
            expected = vec!["gone", "d", "c", "b", "a"];
        }
        assert_eq!(names(&entries), expected);
    }
    // A root that was read page by page can be named for a while; others cannot.
    let got = peer.get(space, At::Root(root), &key("a")).await.unwrap();
    assert_eq!((got.state.root, got.value.unwrap()), (root, b"one".to_vec()));
    let e = peer.get(space, At::Root(F::from(9u64)), &key("a")).await.unwrap_err();
    assert_eq!(reason(&e), Reason::StateGone);
}

/// Why a peer refused.
fn reason(e: &PeerError) -> Reason {
    let PeerCause::Refused { reason: Some(reason), .. } = *e.cause else { panic!("{e}") };
    reason
}

/// Programs read reasons, so each is documented.
#[test]
fn reasons_are_documented() {
    let page = std::fs::read_to_string("../docs/api.md").unwrap();
    let words = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let words: Vec<&str> = words
        .map(|(word, _)| word)
        .filter(|word| !word.contains(char::is_lowercase))
        .filter(|word| !word.starts_with("AT_"))
        .collect();
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.word()).collect();
    assert_eq!(words, reasons);
    for reason in Reason::ALL {
        assert_eq!(Reason::from_word(reason.word()), Some(*reason));
    }
}

#[tokio::test]
async fn changes_are_told() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let peer = connect(&server).await;
    let mut changes = peer.watch(world.space.id(), shared_prefix(b"k")).await.unwrap();
    assert_eq!(changes.next().await.unwrap(), (world.space.status().root, Vec::new()));
    world.write(0, &[("k1", Some(b"1")), ("other", Some(b"1"))]);
    let (root, entries) = changes.next().await.unwrap();
    assert_eq!((root, names(&entries)), (world.space.status().root, vec!["k1".to_owned()]));
    world.write(0, &[("elsewhere", Some(b"1"))]);
    let silent = timeout(Duration::from_millis(500), changes.next()).await;
    assert!(silent.is_err(), "nothing with the prefix has changed");

    // More keys than one message has, each once.
    let mut changes = peer.watch(world.space.id(), shared_prefix(b"many")).await.unwrap();
    changes.next().await.unwrap();
    let keys: Vec<String> = (0..40).map(|n| format!("many {n:02}")).collect();
    let change = |key: &String| (key.clone(), Some(b"1".as_slice()));
    let each: Vec<(String, Option<&[u8]>)> = keys.iter().map(change).collect();
    let each: Vec<(&str, Option<&[u8]>)> =
        each.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    world.write(1, &each);
    let mut told = Vec::new();
    while told.len() < keys.len() {
        let (_, entries) = timeout(Duration::from_secs(10), changes.next()).await.unwrap().unwrap();
        told.extend(names(&entries));
    }
    assert_eq!(told, keys);
    let e = peer
        .watch(world.space.id(), KeyPrefix { owner: None, bytes: vec![0; 92] })
        .await
        .err()
        .unwrap();
    assert_eq!(reason(&e), Reason::InvalidRequest);
}

#[tokio::test]
async fn a_node_says_what_it_is() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let info = connect(&server).await.info(world.space.id()).await.unwrap();
    let status = world.space.status();
    assert_eq!((info.ops, info.root.clone()), (status.ops, field::to_bytes(&status.root).to_vec()));
    assert!(info.full_history && info.snapshot.is_none());
    let statement = info.formats.iter().find(|format| format.name == "statement").unwrap();
    assert_eq!(statement.version, 2);
    assert!(info.services.contains(&"rootfold.v1.QueryService".to_owned()), "{info:?}");
    assert_eq!(info.limits.unwrap().range_entries, 1000);
    let e = connect(&server).await.info(F::from(3u64)).await.unwrap_err();
    assert_eq!(reason(&e), Reason::OtherSpace);
}

#[tokio::test]
async fn answers_that_do_not_follow_from_their_pages_are_refused() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let mut client = raw(&server).await;
    let key_a = key("a").as_bytes().to_vec();
    let get = v1::GetRequest { space: world.id(), at: 1, key: key_a, root: Vec::new() };
    let good = client.get(get).await.unwrap().into_inner();
    let lies: [Lie<v1::GetResponse>; 7] = [
        ("another value", |r| r.value = b"two".to_vec()),
        ("no entry", |r| r.entry = None),
        ("another stamp", |r| r.entry.as_mut().unwrap().ts += 1),
        ("another root", |r| r.root[31] ^= 1),
        ("a page less", |r| drop(r.pages.pop())),
        ("a page changed", |r| *r.pages.last_mut().unwrap().content.last_mut().unwrap() ^= 1),
        ("an unknown voucher", |r| r.vouched_by = 9),
    ];
    let space = world.space.id();
    refused(
        &good,
        &lies,
        |r| Parrot { get: r, ..Parrot::default() },
        async |peer| peer.get(space, At::Latest, &key("a")).await.map(|_| ()),
    )
    .await;

    let keys = ["a", "aa", "c"].map(key);
    let key_bytes = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    let (space_id, root) = (world.id(), Vec::new());
    let many = v1::GetManyRequest { space: space_id, at: 1, root, keys: key_bytes };
    let good = client.get_many(many).await.unwrap().into_inner();
    let lies: [Lie<v1::GetManyResponse>; 6] = [
        ("an entry less", |r| drop(r.entries.pop())),
        ("an entry twice", |r| r.entries.push(r.entries[0].clone())),
        ("an entry changed", |r| r.entries[1].writer += 1),
        ("a value changed", |r| r.values[0].content[0] ^= 1),
        ("a value twice", |r| r.values.push(r.values[0].clone())),
        ("a page less", |r| drop(r.pages.pop())),
    ];
    refused(
        &good,
        &lies,
        |r| Parrot { many: r, ..Parrot::default() },
        async |peer| peer.get_many(space, At::Latest, &keys).await.map(|_| ()),
    )
    .await;

    for reverse in [false, true] {
        let query = RangeQuery::new(key("a")..key("h"), 2).with_values();
        let query = RangeQuery { reverse, ..query };
        let asked = messages::range_out(space, At::Latest, &query);
        let good = client.range(asked).await.unwrap().into_inner();
        let lies: [Lie<v1::RangeResponse>; 8] = [
            ("an entry less", |r| drop(r.entries.pop())),
            ("another order", |r| r.entries.reverse()),
            ("an entry changed", |r| r.entries[1].ts += 1),
            ("the end of the range", |r| r.next_page_token.clear()),
            ("a token further on", |r| {
                let further = if r.entries[0].key < r.entries[1].key { b"g" } else { b"b" };
                let key = Key::shared(further).unwrap();
                r.next_page_token[33..].copy_from_slice(key.as_bytes());
            }),
            ("a token of another state", |r| r.next_page_token[20] ^= 1),
            ("a value of nothing", |r| {
                r.values = vec![messages::value_out(rootfold_light::values::Value::user(vec![1]))];
            }),
            ("a page less", |r| drop(r.pages.pop())),
        ];
        refused(
            &good,
            &lies,
            |r| Parrot { range: r, ..Parrot::default() },
            async |peer| peer.range(space, At::Latest, &query).await.map(|_| ()),
        )
        .await;
    }
}

/// A space with posts of writer 1, three of which have the tag `cats`, one of them from an earlier version.
fn tagged() -> World {
    let world = World::with_some_keys();
    for (name, tag, order) in
        [("one", "cats", "1"), ("two", "dogs", "2"), ("three", "cats", "3"), ("four", "cats", "4")]
    {
        let key = Key::owned(1, name.as_bytes()).unwrap();
        let mark = Mark::new(tag.as_bytes(), order.as_bytes()).unwrap();
        let change =
            Change { marks: vec![mark], ..Change::new(key, Some(name.as_bytes().to_vec()), NOW) };
        let (group, _) =
            compose(&world.space.tip(1).unwrap(), 1, &world.secrets[1], vec![change]).unwrap();
        world.space.ingest(&group).unwrap();
    }
    // Overwritten without withdrawing the mark: the entry of the index is not current any more.
    let key = Key::owned(1, b"four").unwrap();
    let change = Change::new(key, Some(b"other".to_vec()), NOW);
    let (group, _) =
        compose(&world.space.tip(1).unwrap(), 1, &world.secrets[1], vec![change]).unwrap();
    world.space.ingest(&group).unwrap();
    world
}

#[tokio::test]
async fn the_entries_of_a_tag_come_with_a_proof_that_none_is_missing() {
    let world = tagged();
    let server = serve(&world.space, None).await;
    let (peer, space) = (connect(&server).await, world.space.id());
    let name = |entry: &Entry| {
        String::from_utf8(entry.key.application_key().unwrap().bytes.to_vec()).unwrap()
    };
    let query = FindQuery::new(b"cats", 5).unwrap();
    let answer = peer.find(space, At::Latest, &query).await.unwrap();
    let hits: Vec<String> = answer.hits.iter().map(|hit| name(&hit.entry)).collect();
    assert_eq!(hits, ["one", "three"]);
    assert_eq!(answer.state.root, world.space.status().root);
    assert_eq!(answer.hits[1].order, b"3");
    let value = ValueName::of_entry(&answer.hits[0].entry).unwrap();
    assert_eq!(answer.values[&value], b"one");
    assert!(answer.next.is_none());

    // Page by page, from the last one back.
    let first = FindQuery::new(b"cats", 1).unwrap().with(RangeQuery::reversed);
    let answer = peer.find(space, At::Latest, &first).await.unwrap();
    assert_eq!(name(&answer.hits[0].entry), "three");
    let token = answer.next.unwrap();
    let next = first.with(|range| range.page(token));
    let answer = peer.find(space, At::Latest, &next).await.unwrap();
    assert_eq!(name(&answer.hits[0].entry), "one");
    let none = FindQuery::new(b"birds", 5).unwrap();
    assert_eq!(peer.find(space, At::Latest, &none).await.unwrap().hits, []);

    let asked = messages::find_out(space, At::Latest, &query);
    let good = raw(&server).await.find(asked).await.unwrap().into_inner();
    let lies: [Lie<v1::FindResponse>; 9] = [
        ("a post hidden", |r| drop(r.marked.remove(0))),
        ("all posts hidden", |r| r.marked.clear()),
        ("a post twice", |r| r.marked.push(r.marked[0].clone())),
        ("another post", |r| r.marked[0] = r.marked[1].clone()),
        ("a post that is not current shown as current", |r| {
            let stamp = r.marked[0].entry.clone().unwrap();
            let stale = r.marked[2].entry.as_mut().unwrap();
            (stale.ts, stale.writer) = (stamp.ts, stamp.writer);
        }),
        ("a current post shown as not current", |r| r.marked[0].entry.as_mut().unwrap().ts -= 1),
        ("a path of another level", |r| r.marked[0].path.swap(0, 1)),
        ("an end before the end", |r| {
            let key = Mark::new(b"cats", b"2").unwrap().key(&Key::START);
            r.next_page_token = [&[1], &r.root[..], key.as_bytes()].concat();
        }),
        ("a page less", |r| drop(r.pages.pop())),
    ];
    refused(
        &good,
        &lies,
        |r| Parrot { find: r, ..Parrot::default() },
        async |peer| peer.find(space, At::Latest, &query).await.map(|_| ()),
    )
    .await;
}

/// A replica that was bootstrapped has no op of the posts; it finds their keys from the tree.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_without_history_finds_by_tag() {
    let world = tagged();
    let (_kept, data) = proved::folder();
    let mut prover = Prover::open(world.space.clone(), &data, proved::parameters()).unwrap();
    prover.prove(EpochLimits::default(), None, &()).unwrap();
    prover.publish(&()).unwrap();
    let server = serve(&world.space, Some(proved::verifying_key())).await;
    let (_kept, data_dir) = proved::folder();
    let job = Bootstrap {
        peers: vec![server.address.clone()],
        invite: proved::invite(&world),
        data_dir: data_dir.clone(),
        key: None,
    };
    bootstrap::run(job, &()).await.unwrap();
    let replica = data_dir.open().unwrap();
    assert!(replica.log(1, 0, 1).unwrap().is_empty());
    let query = FindQuery::new(b"cats", 5).unwrap();
    let found = replica.find(At::Latest, &query).unwrap();
    let held = world.space.find(At::Latest, &query).unwrap();
    assert_eq!(found.entries, held.entries);
    assert_eq!(found.entries.len(), 2);
}

/// Asserts that an honest response is accepted, and each lie refused with the name of the peer.
async fn refused<T: Clone>(
    good: &T,
    lies: &[Lie<T>],
    parrot: impl Fn(T) -> Parrot,
    ask: impl AsyncFn(&Peer) -> Result<(), PeerError>,
) {
    let server = serve_service(QueryServiceServer::new(parrot(good.clone()))).await;
    ask(&connect(&server).await).await.unwrap();
    for (what, lie) in lies {
        let mut response = good.clone();
        lie(&mut response);
        let server = serve_service(QueryServiceServer::new(parrot(response))).await;
        let e = ask(&connect(&server).await).await.expect_err(what);
        assert!(e.is_refusal(), "{what}: {e}");
        assert_eq!(e.peer, server.address);
        assert!(
            matches!(&*e.cause, PeerCause::Response(e) if !matches!(e, ResponseError::Genesis(_)))
        );
    }
}

/// A query service that always sends the same responses.
#[derive(Default)]
struct Parrot {
    get: v1::GetResponse,
    many: v1::GetManyResponse,
    range: v1::RangeResponse,
    find: v1::FindResponse,
}

#[tonic::async_trait]
impl QueryService for Parrot {
    type WatchStream = Pending<Result<v1::WatchResponse, Status>>;

    async fn get(&self, _: Request<v1::GetRequest>) -> Result<Response<v1::GetResponse>, Status> {
        Ok(Response::new(self.get.clone()))
    }

    async fn get_many(
        &self,
        _: Request<v1::GetManyRequest>,
    ) -> Result<Response<v1::GetManyResponse>, Status> {
        Ok(Response::new(self.many.clone()))
    }

    async fn range(
        &self,
        _: Request<v1::RangeRequest>,
    ) -> Result<Response<v1::RangeResponse>, Status> {
        Ok(Response::new(self.range.clone()))
    }

    async fn find(
        &self,
        _: Request<v1::FindRequest>,
    ) -> Result<Response<v1::FindResponse>, Status> {
        Ok(Response::new(self.find.clone()))
    }

    async fn watch(
        &self,
        _: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn info(
        &self,
        _: Request<v1::InfoRequest>,
    ) -> Result<Response<v1::InfoResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}
