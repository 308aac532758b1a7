//! The targets of responses, decoded and checked with the functions of our client.

use rootfold_core::key::Key;
use rootfold_light::{
    answer,
    fork::{CheckedFork, Fork},
    messages,
    query::{At, FindQuery, RangeQuery},
    response,
    values::{Value, ValueName},
};
use rootfold_proto::v1;

use crate::{
    honest::{header, honest, resolve, TERM, VERIFYING_KEY},
    message, page,
    request::{self, assert_honest_logs},
    snapshot, Verdict,
};

/// `GenesisResponse`: only the honest config is accepted for the honest space.
pub fn genesis(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::GenesisResponse>(bytes) else {
        return Verdict::Refused;
    };
    let Ok(genesis) = response::genesis(honest().space.id(), &message) else {
        return Verdict::Refused;
    };
    assert_eq!(genesis, honest().genesis, "a false config is accepted");
    Verdict::Accepted
}

/// `VerifyingKeyResponse`: only the honest key is accepted for the honest parameter id.
pub fn verifying_key(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::VerifyingKeyResponse>(bytes) else {
        return Verdict::Refused;
    };
    let Ok(key) = response::verifying_key(header().parameters, &message) else {
        return Verdict::Refused;
    };
    assert_eq!(key.encode(), VERIFYING_KEY, "a false key is accepted");
    Verdict::Accepted
}

/// `LatestSnapshotResponse`, whose snapshot is verified. The proof `honest` is replaced by the honest
/// proof.
///
/// An accepted snapshot is the honest snapshot or genesis.
pub fn latest_snapshot(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::LatestSnapshotResponse>(bytes) else {
        return Verdict::Refused;
    };
    let Ok(decoded) = response::latest_snapshot(message) else { return Verdict::Refused };
    let again = messages::snapshot_in(Some(messages::snapshot_out(&decoded)));
    assert_eq!(again.as_ref(), Ok(&decoded), "a snapshot changes when it is encoded again");
    snapshot::accepted(resolve(decoded))
}

/// `PagesResponse` to a request for all pages of the honest space. An accepted page equals the honest
/// page of its name except for its hints.
pub fn pages(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::PagesResponse>(bytes) else {
        return Verdict::Refused;
    };
    let names: Vec<_> = honest().pages.keys().copied().collect();
    let mut stream = response::PageStream::new(&names);
    if stream.see(&message).is_err() {
        return Verdict::Refused;
    }
    let mut came = 0;
    for part in message.pages {
        let Ok(complete) = stream.take(part) else { return Verdict::Refused };
        let Some((name, content)) = complete else { continue };
        let Ok(received) = response::page(name, &content) else { return Verdict::Refused };
        page::assert_same(&honest().pages[&name].0, &received.page, &Vec::new());
        received.values.iter().for_each(assert_honest_value);
        came += 1;
    }
    assert!(came <= names.len(), "a page is accepted twice");
    Verdict::of(came > 0)
}

fn assert_honest_value(value: &Value) {
    assert_eq!(honest().values.get(&value.name), Some(&value.content), "a false value is accepted");
}

/// `ValuesResponse` to a request for all values of the honest space. An accepted value is the honest
/// value of its name.
pub fn values(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::ValuesResponse>(bytes) else {
        return Verdict::Refused;
    };
    let names: Vec<ValueName> = honest().values.keys().copied().collect();
    let mut stream = response::ValueStream::new(&names);
    if stream.see(&message).is_err() {
        return Verdict::Refused;
    }
    let mut came = 0;
    for value in message.values {
        let Ok(value) = stream.take(value) else { return Verdict::Refused };
        let again = messages::value_in(messages::value_out(value.clone()));
        assert_eq!(again.as_ref(), Ok(&value), "a value changes when it is encoded again");
        assert_honest_value(&value);
        came += 1;
    }
    assert!(came <= names.len(), "a value is accepted twice");
    Verdict::of(came > 0)
}

/// `FrontierResponse`. The client does not trust its contents. No writer occurs twice.
pub fn frontier(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::FrontierResponse>(bytes) else {
        return Verdict::Refused;
    };
    let Ok(frontier) = response::frontier(0, &message) else { return Verdict::Refused };
    assert_eq!(frontier.writers.len(), message.writers.len(), "a writer is accepted twice");
    let seqs = frontier.writers.iter().map(|(writer, (seq, _))| (*writer, *seq));
    assert!(seqs.eq(message.writers.iter().map(|tip| (tip.writer, tip.seq))));
    let last = frontier.writers.keys().last().copied();
    assert!(frontier.next.is_none_or(|next| Some(next) > last), "the pages end");
    Verdict::Accepted
}

/// `ForkResponse`. Evidence is accepted only of a writer who has signed two continuations of one log.
pub fn fork(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::ForkResponse>(bytes) else { return Verdict::Refused };
    let Ok(fork) = response::fork(1, &message) else { return Verdict::Refused };
    assert_forked(&fork);
    Verdict::Accepted
}

/// Evidence of a fork in a file. Every decoded file has one encoding.
pub fn fork_file(bytes: &[u8]) -> Verdict {
    let Ok(fork) = Fork::from_bytes(bytes) else { return Verdict::Refused };
    assert_eq!(fork.to_bytes(), bytes, "evidence has one encoding");
    let Ok(fork) = fork.check() else { return Verdict::Refused };
    assert_forked(&fork);
    Verdict::Accepted
}

/// The honest key has signed exactly the two continuations of [`Honest::fork`].
fn assert_forked(fork: &CheckedFork) {
    let honest = honest().fork().check().expect("the evidence is good");
    if fork.public_key() == honest.public_key() {
        let signed = |fork: &CheckedFork| fork.heads().map(|head| head.head.head);
        let known = signed(&honest);
        assert!(signed(fork).iter().all(|head| known.contains(head)), "a forged head");
    }
}

/// `LogEntriesResponse`, ingested by a copy of the honest space.
///
/// An op enters a log only if its writer signed it. A refused message changes nothing.
pub fn log_entries(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::LogEntriesResponse>(bytes) else {
        return Verdict::Refused;
    };
    let Ok(message) = response::OpStream::default().take(message) else { return Verdict::Refused };
    let submission = message.submission;
    let again = messages::submission_in(Some(messages::submission_out(&submission)));
    let again = again.expect("the encoded submission decodes");
    assert_eq!((&again.batches, &again.values), (&submission.batches, &submission.values));
    let space = honest().copy();
    let taken = space.ingest(&submission);
    assert_honest_logs(&space);
    match taken {
        Ok(ingested) => {
            assert_eq!(ingested.root, space.status().root);
            Verdict::of(ingested.ops > 0)
        }
        Err(e) => {
            assert!(e.is_refusal(), "{e}");
            assert_eq!(
                space.status(),
                honest().space.status(),
                "a refused message changed the space"
            );
            Verdict::Refused
        }
    }
}

/// `SubmitResponse`. The client does not trust its contents.
pub fn submit(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::SubmitResponse>(bytes) else {
        return Verdict::Refused;
    };
    Verdict::of(response::submitted(&message).is_ok())
}

/// `CheckResponse`, from a peer that the caller trusts. The reason of a refusal has at most 500
/// characters and no control characters.
pub fn check(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::CheckResponse>(bytes) else {
        return Verdict::Refused;
    };
    let Ok(checked) = response::checked(&message) else { return Verdict::Refused };
    assert_eq!(checked.refusal.is_none(), message.accepted);
    let words = checked.refusal.unwrap_or_default();
    assert!(words.chars().count() <= 500 && !words.chars().any(char::is_control));
    Verdict::of(message.accepted)
}

/// `GetResponse`: an answer that is accepted under the honest root is the honest answer.
pub fn get(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::GetResponse>(bytes) else { return Verdict::Refused };
    let mut verdict = Verdict::Refused;
    // An existing key and a missing key.
    for name in ["colour", "nothing"] {
        let key = Key::shared(name.as_bytes()).expect("the key is short");
        let Ok(got) = answer::check_get(&key, message.clone()) else { continue };
        let space = &honest().space;
        if got.state.root == space.status().root {
            let held = space.get(At::Latest, &key).expect("it reads");
            assert_eq!(
                got.entry,
                held.as_ref().map(|found| found.entry),
                "a false answer is accepted"
            );
            assert_eq!(got.value, held.and_then(|found| found.value), "a false value is accepted");
            verdict = Verdict::Accepted;
        }
    }
    verdict
}

/// `RangeResponse`: an answer that is accepted under the honest root is the honest answer.
pub fn range(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::RangeResponse>(bytes) else {
        return Verdict::Refused;
    };
    let forward = RangeQuery::new(Key::START..Key::END, 1000);
    let mut verdict = Verdict::Refused;
    for query in [forward.clone().with_values(), forward.reversed()] {
        let Ok(got) = answer::check_range(&query, message.clone()) else { continue };
        if got.state.root != honest().space.status().root {
            continue;
        }
        let held = request::held(At::Latest, &query, got.next);
        assert_eq!(got.entries, held, "a false answer is accepted");
        for (name, content) in &got.values {
            assert_eq!(honest().values.get(name), Some(content), "a false value is accepted");
        }
        verdict = Verdict::Accepted;
    }
    verdict
}

/// `GetManyResponse`: an answer that is accepted under the honest root is the honest answer.
pub fn get_many(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::GetManyResponse>(bytes) else {
        return Verdict::Refused;
    };
    let keys = ["colour", "nothing"];
    let keys = keys.map(|name| Key::shared(name.as_bytes()).expect("the key is short"));
    let Ok(got) = answer::check_get_many(&keys, message) else { return Verdict::Refused };
    if got.state.root != honest().space.status().root {
        return Verdict::Refused;
    }
    for (key, entry) in got.entries {
        let held = honest().space.get(At::Latest, &key).expect("it reads");
        assert_eq!(entry, held.map(|found| found.entry), "a false answer is accepted");
    }
    for (name, content) in &got.values {
        assert_eq!(honest().values.get(name), Some(content), "a false value is accepted");
    }
    Verdict::Accepted
}

/// `FindResponse`: an answer that is accepted under the honest root is the honest answer, as far as it goes.
pub fn find(bytes: &[u8]) -> Verdict {
    let Some(message) = message::decode::<v1::FindResponse>(bytes) else {
        return Verdict::Refused;
    };
    let forward = FindQuery::new(TERM, 1000).expect("the term is short");
    let mut verdict = Verdict::Refused;
    for query in [forward.clone(), forward.with(RangeQuery::reversed)] {
        let Ok(got) = answer::check_find(&query, message.clone()) else { continue };
        if got.state.root != honest().space.status().root {
            continue;
        }
        let held = honest().space.find(At::Latest, &query).expect("it reads").entries;
        let mut held: Vec<_> = held.into_iter().map(|found| found.entry).collect();
        if got.next.is_some() {
            held.truncate(got.hits.len());
        }
        let hits: Vec<_> = got.hits.iter().map(|hit| hit.entry).collect();
        assert_eq!(hits, held, "a false answer is accepted");
        for (name, content) in &got.values {
            assert_eq!(honest().values.get(name), Some(content), "a false value is accepted");
        }
        verdict = Verdict::Accepted;
    }
    verdict
}
