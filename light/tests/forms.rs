//! Each invite, snapshot and optional part of a message has one accepted form.
#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use rootfold_core::{field, key::Key, tree, F};
use rootfold_light::{
    answer::{check_get, check_range},
    invite::{Invite, InviteError},
    messages::{at_in, at_out, frontier_in, tips_in, token_in, token_out, MessageError},
    query::{At, PageToken, RangeQuery},
    response::{checked, Checked},
    snapshot::{Snapshot, SnapshotHeader},
    verify::{verify, VerifyError},
    ResponseError,
};
use rootfold_proto::v1;
use rootfold_verifier::{ParameterId, ParameterIdSyntax};

fn invite() -> Invite {
    Invite { space: F::from(255u64), parameters: ParameterId([0xab; 32]) }
}

#[test]
fn an_invite_has_one_text() {
    let text = invite().to_string();
    let (space, parameters) = (format!("{:064x}", 255), "ab".repeat(32));
    assert_eq!(text, format!("rootfold1:{space}:{parameters}"));
    assert_eq!(text.parse::<Invite>(), Ok(invite()));
    let of = |text: String| text.parse::<Invite>().unwrap_err();
    let prefix = |begins: &str| InviteError::Prefix { begins: begins.to_owned() };
    assert_eq!(of(String::new()), prefix(""));
    assert_eq!(of(format!("rootfold2:{space}:{parameters}")), prefix("rootfold2"));
    assert_eq!(of(format!(" {text}")), prefix(" rootfold1"));
    assert_eq!(of(format!("rootfold1:{space}")), InviteError::Form { parts: 2 });
    assert_eq!(of(format!("{text}:")), InviteError::Form { parts: 4 });
    let syntax = InviteError::Parameters(ParameterIdSyntax);
    assert_eq!(of(format!("{text} ")), syntax);
    for parameters in ["+f".repeat(32), "é".repeat(32), "AB".repeat(32)] {
        assert_eq!(of(format!("rootfold1:{space}:{parameters}")), syntax);
    }
    let capitals = format!("{:0>64}", "FF");
    for space in ["+f".repeat(32), "é".repeat(32), "f".repeat(64), String::new(), capitals] {
        let error = of(format!("rootfold1:{space}:{parameters}"));
        assert!(matches!(error, InviteError::Space(_)), "{space}");
    }
}

#[test]
fn genesis_has_one_snapshot() {
    let genesis = Snapshot { header: SnapshotHeader::genesis(invite().space), proof: Vec::new() };
    assert!(genesis.header.is_genesis());
    assert!(verify(&genesis, &invite(), None).is_ok());
    let changes: [fn(&mut Snapshot); 5] = [
        |s| s.header.parameters.0[31] = 1,
        |s| s.header.parameters = invite().parameters,
        |s| s.header.root += F::from(1u64),
        |s| s.header.ops = 1,
        |s| s.proof.push(0),
    ];
    for change in changes {
        let mut other = genesis.clone();
        change(&mut other);
        let error = verify(&other, &invite(), None).unwrap_err();
        assert!(matches!(error, VerifyError::NothingProved { .. }), "{error}");
    }
}

#[test]
fn a_query_names_its_state() {
    for at in [At::Latest, At::Snapshot, At::Root(F::from(5u64))] {
        let (number, root) = at_out(at);
        assert_eq!(at_in(number, &root), Ok(at));
    }
    for number in [0, 4, -1] {
        assert_eq!(at_in(number, &[]), Err(MessageError::Unknown { what: "state", number }));
    }
    // A root belongs to a state that is named by it, and to no other.
    assert!(at_in(1, &[1; 32]).is_err());
    assert!(at_in(3, &[]).is_err());
}

#[test]
fn page_tokens_have_one_encoding() {
    let token = PageToken { root: F::from(7u64), key: Key::shared(b"k").unwrap() };
    let bytes = token_out(&token);
    assert_eq!(token_in(&bytes), Ok(token));
    assert!(token_in(&bytes[1..]).is_err());
    assert!(token_in(&[&bytes[..], &[0]].concat()).is_err());
    let mut other = bytes.clone();
    other[0] = 2;
    assert!(token_in(&other).is_err());
    let mut large = bytes;
    large[1..33].fill(0xff);
    assert!(token_in(&large).is_err());
}

#[test]
fn a_request_has_no_heads_and_a_response_has_all() {
    let tip = |head: Vec<u8>| [v1::WriterTip { writer: 3, seq: 5, head }];
    let head = field::to_bytes(&F::from(7u64)).to_vec();
    assert_eq!(frontier_in(&tip(Vec::new())), Ok(vec![(3, 5)]));
    assert!(frontier_in(&tip(head.clone())).is_err());
    assert_eq!(tips_in(&tip(head)), Ok(vec![(3, 5, F::from(7u64))]));
    assert!(tips_in(&tip(Vec::new())).is_err());
}

#[test]
fn a_refusal_has_a_reason_and_nothing_else_has() {
    let response = |accepted, refusal: &str| {
        checked(&v1::CheckResponse { accepted, refusal: refusal.into(), micros: 9 })
    };
    assert_eq!(response(true, "").unwrap(), Checked { refusal: None, micros: 9 });
    let refusal = Some("why".to_owned());
    assert_eq!(response(false, "why").unwrap(), Checked { refusal, micros: 9 });
    assert!(response(true, "why").is_err());
    assert!(response(false, "").is_err());
}

/// A tree of the sentinels alone, as a server sends it.
fn pages() -> (Vec<u8>, Vec<v1::Page>) {
    let ends =
        [rootfold_core::item::Entry::start_sentinel(), rootfold_core::item::Entry::end_sentinel()];
    let update = tree::build(&ends);
    let page = |(name, page): &(F, tree::Page)| v1::Page {
        name: field::to_bytes(name).to_vec(),
        content: page.encode(&|_| None),
        more: false,
    };
    (field::to_bytes(&update.root).to_vec(), update.pages.iter().map(page).collect())
}

#[test]
fn pages_of_an_answer_are_whole_and_have_their_names_and_come_once() {
    let key = Key::shared(b"k").unwrap();
    let get = |pages: Vec<v1::Page>| {
        let response = v1::GetResponse { root: self::pages().0, pages, ..Default::default() };
        check_get(&key, response)
    };
    let good = pages().1;
    assert_eq!(get(good.clone()).unwrap().entry, None);
    let mut more = good.clone();
    more[0].more = true;
    assert!(matches!(get(more), Err(ResponseError::Message(MessageError::Unexpected { .. }))));
    let mut unnamed = good.clone();
    unnamed[0].name.clear();
    assert!(matches!(get(unnamed), Err(ResponseError::Message(MessageError::Length { .. }))));
    let mut misnamed = good.clone();
    misnamed[0].name[31] ^= 1;
    assert!(matches!(get(misnamed), Err(ResponseError::Page { .. })));
    let twice = [good.clone(), good].concat();
    assert!(matches!(get(twice), Err(ResponseError::NotRequested { .. })));
}

#[test]
fn a_range_ends_with_no_token_or_with_one_inside() {
    let (root, pages) = pages();
    let [from, to] = [b"a", b"m"].map(|key| Key::shared(key).unwrap());
    let token = |root: &[u8], key: &[u8]| [&[1], root, key].concat();
    for reverse in [false, true] {
        let query = RangeQuery { reverse, ..RangeQuery::new(from..to, 9) };
        let range = |query: &RangeQuery, next: Vec<u8>| {
            let (root, pages) = (root.clone(), pages.clone());
            let response =
                v1::RangeResponse { root, pages, next_page_token: next, ..Default::default() };
            check_range(query, response)
        };
        assert_eq!(range(&query, Vec::new()).unwrap().next, None);
        let inside = Key::shared(b"c").unwrap();
        let next = range(&query, token(&root, inside.as_bytes())).unwrap().next.unwrap();
        assert_eq!(next.key, inside);
        // The rest of the range is of the same state.
        assert_eq!(range(&query.page(next), Vec::new()).unwrap().next, None);
        let other = query.page(PageToken { root: F::from(1u64), key: inside });
        assert!(matches!(range(&other, Vec::new()), Err(ResponseError::OtherAnswer)));
        let elsewhere = token(&[1; 32], inside.as_bytes());
        assert!(matches!(range(&query, elsewhere), Err(ResponseError::OtherAnswer)));
        for key in [&from, &to, &Key::START, &Key::END] {
            let outside = range(&query, token(&root, key.as_bytes()));
            assert!(matches!(outside, Err(ResponseError::OtherAnswer)));
        }
        assert!(matches!(range(&query, vec![1; 7]), Err(ResponseError::Message(_))));
    }
}

/// Bytes near a good encoding.
fn near(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (edits, 0..3usize, 0..3usize).prop_map(move |(edits, cut, more)| {
        let mut bytes = good.clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut);
        bytes.resize(bytes.len() + more, 0);
        bytes
    })
}

proptest! {
    #[test]
    fn invites_round_trip(space in any::<u64>(), parameters in any::<[u8; 32]>()) {
        let invite = Invite { space: F::from(space), parameters: ParameterId(parameters) };
        prop_assert_eq!(invite.to_string().parse::<Invite>(), Ok(invite));
    }

    #[test]
    fn accepted_texts_are_the_texts_of_invites(text in near(invite().to_string().into_bytes())) {
        let text = String::from_utf8_lossy(&text).into_owned();
        if let Ok(invite) = text.parse::<Invite>() {
            prop_assert_eq!(invite.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_parsed_without_panic(text in ".{0,200}") {
        let _ = text.parse::<Invite>();
    }

    #[test]
    fn accepted_bytes_are_the_bytes_of_snapshots(
        bytes in near(Snapshot {
            header: SnapshotHeader { ops: 5, steps: 2, ..SnapshotHeader::genesis(F::from(3u64)) },
            proof: vec![7; 20],
        }.to_bytes())
    ) {
        if let Ok(snapshot) = Snapshot::from_bytes(&bytes) {
            prop_assert_eq!(snapshot.to_bytes(), bytes);
        }
    }
}
