//! The targets of requests, decoded as in the server and answered by its services.
//!
//! A refusal has a status code that blames the caller and not the node. Our client accepts every
//! answer.

use std::sync::OnceLock;

use rootfold_core::{field, item::Entry, key::Key, log::SignedOp, F};
use rootfold_light::{
    answer, messages,
    query::{At, PageToken, RangeQuery},
    response,
    values::{Value, ValueName},
};
use rootfold_node::{
    server::{QueryService, ReplicationService, ResponseStream, VerificationService},
    space::Space,
};
use rootfold_proto::v1::{
    self, query_service_server::QueryService as Query,
    replication_service_server::ReplicationService as Replication,
    verification_service_server::VerificationService as Verification,
};
use tokio_stream::StreamExt;
use tonic::{Code, Request, Response, Status};

use crate::{
    honest::{self, block_on, honest, PROOF, PROOF_ALIAS},
    message, snapshot, Verdict,
};

fn replication() -> &'static ReplicationService {
    static SERVICE: OnceLock<ReplicationService> = OnceLock::new();
    let key = || Some(honest::verifying_key().clone());
    SERVICE.get_or_init(|| ReplicationService::new(honest().space.clone(), key()))
}

fn query() -> &'static QueryService {
    static SERVICE: OnceLock<QueryService> = OnceLock::new();
    SERVICE.get_or_init(|| QueryService::new(honest().space.clone()))
}

fn id() -> F {
    honest().space.id()
}

/// The answer of a service; `None` for a refusal. Asserts that the refusal blames the caller.
fn answered<T>(response: Result<Response<T>, Status>) -> Option<T> {
    response.map(Response::into_inner).map_err(|status| assert_blames_caller(&status)).ok()
}

fn assert_blames_caller(status: &Status) {
    let blames = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::ResourceExhausted
    );
    assert!(blames, "{status:?}");
}

/// All messages of a stream up to its end or its first error, and this error.
async fn drained<T>(mut stream: ResponseStream<T>) -> (Vec<T>, Option<Status>) {
    let mut messages = Vec::new();
    while let Some(next) = stream.next().await {
        match next {
            Ok(message) => messages.push(message),
            Err(status) => {
                assert_blames_caller(&status);
                return (messages, Some(status));
            }
        }
    }
    (messages, None)
}

/// `GenesisRequest`: the answer is the honest config.
pub fn genesis(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::GenesisRequest>(bytes) else {
        return Verdict::Refused;
    };
    let Some(answer) = answered(block_on(replication().genesis(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let genesis = response::genesis(id(), &answer);
    assert_eq!(genesis.expect("the client accepts the answer"), honest().genesis);
    Verdict::Accepted
}

/// `VerifyingKeyRequest`: the answer is the key of the requested id.
pub fn verifying_key(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::VerifyingKeyRequest>(bytes) else {
        return Verdict::Refused;
    };
    let asked = request.parameters.clone();
    let Some(answer) = answered(block_on(replication().verifying_key(Request::new(request))))
    else {
        return Verdict::Refused;
    };
    let asked = messages::parameter_id(&asked).expect("the service accepted the id");
    response::verifying_key(asked, &answer).expect("the client accepts the answer");
    Verdict::Accepted
}

/// `LatestSnapshotRequest`: the answer is a snapshot of the requested space.
pub fn latest_snapshot(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::LatestSnapshotRequest>(bytes) else {
        return Verdict::Refused;
    };
    let Some(answer) = answered(block_on(replication().latest_snapshot(Request::new(request))))
    else {
        return Verdict::Refused;
    };
    let snapshot = response::latest_snapshot(answer).expect("the client accepts the answer");
    assert_eq!(snapshot.header.space, id());
    Verdict::Accepted
}

/// `PagesRequest`: the answer has only requested pages, each under its name.
pub fn pages(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::PagesRequest>(bytes) else { return Verdict::Refused };
    let names = request.names.clone();
    let answer = block_on(async {
        let stream = answered(replication().pages(Request::new(request)).await)?;
        Some(drained(stream).await)
    });
    let Some((messages, error)) = answer else { return Verdict::Refused };
    let names: Vec<F> = names.iter().map(|name| element(name)).collect();
    let mut stream = response::PageStream::new(&names);
    for message in messages {
        stream.see(&message).expect("no message is empty");
        for part in message.pages {
            if let Some((name, content)) = stream.take(part).expect("the client requested it") {
                response::page(name, &content).expect("the page has this name");
                // The page may belong to an earlier tree of the space.
                let held = honest().space.page_bytes(&name).expect("reading from memory succeeds");
                assert_eq!(held, Some(content));
            }
        }
    }
    Verdict::of(error.is_none())
}

/// `ValuesRequest`: the answer has only requested values, each under its name.
pub fn values(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::ValuesRequest>(bytes) else {
        return Verdict::Refused;
    };
    let names = request.names.clone();
    let answer = block_on(async {
        let stream = answered(replication().values(Request::new(request)).await)?;
        Some(drained(stream).await)
    });
    let Some((messages, error)) = answer else { return Verdict::Refused };
    let name = |name| messages::name_in(name).expect("the service accepted it");
    let names: Vec<ValueName> = names.iter().map(name).collect();
    let mut stream = response::ValueStream::new(&names);
    for message in messages {
        stream.see(&message).expect("no message is empty");
        for value in message.values {
            let Value { name, content } = stream.take(value).expect("the client requested it");
            let held = honest().space.value(&name).expect("reading from memory succeeds");
            assert_eq!(held, Some(content));
        }
    }
    Verdict::of(error.is_none())
}

/// `FrontierRequest`: the answer has the number of ops of every log.
pub fn frontier(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::FrontierRequest>(bytes) else {
        return Verdict::Refused;
    };
    let (asked, first) = (request.root.clone(), request.first);
    let Some(answer) = answered(block_on(replication().frontier(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let frontier = response::frontier(first, &answer).expect("the client accepts the answer");
    let equal = asked == messages::bytes(&honest().space.status().root);
    let tips = honest().tips.range(first..).filter(|_| !equal);
    let tips = tips.map(|(writer, tip)| {
        (*writer, (tip.seq(*writer).expect("the log is short"), tip.head.head))
    });
    assert_eq!(frontier.writers, tips.collect());
    Verdict::Accepted
}

/// `ForkRequest`, answered by a node that has evidence against writer 1: our client accepts it.
pub fn fork(bytes: &[u8]) -> Verdict {
    static FORKED: OnceLock<ReplicationService> = OnceLock::new();
    let forked = FORKED.get_or_init(|| {
        let space = honest().copy();
        let evidence = honest().fork().check().expect("the evidence is good");
        assert!(space.keep_fork(&evidence).expect("it is of this space"));
        ReplicationService::new(space, None)
    });
    let Some(request) = message::decode::<v1::ForkRequest>(bytes) else { return Verdict::Refused };
    let writer = request.writer;
    let Some(answer) = answered(block_on(forked.fork(Request::new(request)))) else {
        return Verdict::Refused;
    };
    response::fork(writer, &answer).expect("the client accepts the answer");
    Verdict::Accepted
}

/// `LogEntriesRequest`: the answer has honest ops after the frontier. Every batch ends with a
/// signature, so each message can be ingested separately.
pub fn log_entries(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::LogEntriesRequest>(bytes) else {
        return Verdict::Refused;
    };
    let answer = block_on(async {
        let stream = answered(replication().log_entries(Request::new(request)).await)?;
        Some(drained(stream).await)
    });
    let Some((messages, error)) = answer else { return Verdict::Refused };
    let mut stream = response::OpStream::default();
    for message in messages {
        let message = stream.take(message).expect("the client accepts the message");
        for batch in &message.submission.batches {
            let log = honest().log(batch.writer);
            let from = usize::try_from(batch.first_seq).expect("the log is short");
            assert!(log[from..].starts_with(&batch.ops));
            assert!(batch.ops.last().is_some_and(|op| op.signature.is_some()));
        }
    }
    Verdict::of(error.is_none())
}

/// `SubmitRequest`, ingested by a copy of the honest space.
///
/// An op enters a log only if its writer signed it. A refused message changes nothing.
pub fn submit(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::SubmitRequest>(bytes) else {
        return Verdict::Refused;
    };
    let space = honest().copy();
    let service = ReplicationService::new(space.clone(), None);
    let answer = answered(block_on(service.submit(Request::new(request))));
    assert_honest_logs(&space);
    let Some(answer) = answer else {
        assert_eq!(space.status(), honest().space.status(), "a refused message changed the space");
        return Verdict::Refused;
    };
    let submitted = response::submitted(&answer).expect("the client accepts the answer");
    assert_eq!(submitted.root, space.status().root);
    assert_eq!(submitted.ops, space.status().ops - honest().space.status().ops);
    Verdict::Accepted
}

/// Asserts that every log of a space is a prefix of the honest log and ends with a signature.
pub(crate) fn assert_honest_logs(space: &Space) {
    for (writer, tip) in space.writers() {
        let log: Vec<SignedOp> = space
            .log(writer, 0, usize::MAX)
            .expect("reading from memory succeeds")
            .into_iter()
            .map(|(_, op)| op)
            .collect();
        assert_eq!(tip.seq(writer), Ok(log.len() as u64));
        let honest = honest().log(writer);
        assert!(log.len() <= honest.len(), "the log of writer {writer} is too long");
        for (op, honest) in log.iter().zip(&honest) {
            assert_eq!(op.op, honest.op, "writer {writer} did not sign this op");
            assert!(op.signature.is_none() || op.signature == honest.signature);
        }
        assert!(log.last().is_none_or(|op| op.signature.is_some()));
    }
}

/// `CheckRequest`. The proof `honest` is replaced by the honest proof.
///
/// An accepted snapshot is the honest snapshot, or genesis of the requested space.
pub fn check(bytes: &[u8]) -> Verdict {
    let Some(mut request) = message::decode::<v1::CheckRequest>(bytes) else {
        return Verdict::Refused;
    };
    if let Some(snapshot) = request.snapshot.as_mut().filter(|s| s.proof == PROOF_ALIAS) {
        snapshot.proof = PROOF.to_vec();
    }
    let claimed = request.clone();
    let service = VerificationService::new(Some(honest::verifying_key().clone()));
    let Some(answer) = answered(block_on(service.check(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let checked = response::checked(&answer).expect("the client accepts the answer");
    if checked.refusal.is_some() {
        return Verdict::Refused;
    }
    let snapshot = messages::snapshot_in(claimed.snapshot).expect("the service accepted it");
    let space = element(&claimed.space);
    let genesis = snapshot.header.is_genesis() && snapshot.header.space == space;
    assert!(genesis || space == id(), "a snapshot is accepted for another space");
    if !genesis {
        assert_eq!(snapshot::accepted(snapshot), Verdict::Accepted);
    }
    Verdict::Accepted
}

/// `GetRequest`: the pages of the answer prove it, and it equals the entry in the space.
pub fn get(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::GetRequest>(bytes) else { return Verdict::Refused };
    let (at, key) = (messages::at_in(request.at, &request.root), request.key.clone());
    let Some(answer) = answered(block_on(query().get(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let key = Key::from_slice(&key).expect("the service accepted it");
    let got = answer::check_get(&key, answer).expect("the pages prove the answer");
    let at = at.expect("the service accepted it");
    let held = honest().space.get(at, &key).expect("reading from memory succeeds");
    assert_eq!(got.entry, held.as_ref().map(|found| found.entry));
    assert_eq!(got.value, held.and_then(|found| found.value));
    assert_eq!(Ok(got.state.root), honest().space.root(at).map_err(|e| e.to_string()));
    Verdict::Accepted
}

/// `RangeRequest`: the pages of the answer prove it, and it equals the entries in the space.
pub fn range(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::RangeRequest>(bytes) else {
        return Verdict::Refused;
    };
    let asked = messages::range_in(&request);
    let Some(answer) = answered(block_on(query().range(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let (at, query) = asked.expect("the service accepted it");
    let got = answer::check_range(&query, answer).expect("the pages prove the answer");
    assert_eq!(got.entries, held(at, &query, got.next));
    Verdict::Accepted
}

/// `FindRequest`: the pages and paths of the answer prove it, and it equals the entries in the space.
pub fn find(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::FindRequest>(bytes) else {
        return Verdict::Refused;
    };
    let asked = messages::find_in(&request);
    let Some(answer) = answered(block_on(query().find(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let (at, query) = asked.expect("the service accepted it");
    let got = answer::check_find(&query, answer).expect("the pages and paths prove the answer");
    let held = honest().space.find(at, &query).expect("reading from memory succeeds");
    let held: Vec<Entry> = held.entries.into_iter().map(|found| found.entry).collect();
    let hits: Vec<Entry> = got.hits.into_iter().map(|hit| hit.entry).collect();
    assert_eq!(hits, held);
    Verdict::Accepted
}

/// The entries that the honest space has of a query, up to the next page.
pub(crate) fn held(at: At, query: &RangeQuery, next: Option<PageToken>) -> Vec<Entry> {
    let covered = query.covered(next.map(|next| next.key)).expect("the query has an answer");
    let held = honest().space.scan(at, &covered.start, &covered.end, usize::MAX, false);
    let mut held: Vec<_> = held.expect("it reads").into_iter().map(|found| found.entry).collect();
    if query.reverse {
        held.reverse();
    }
    held
}

/// `GetManyRequest`: the pages of the answer prove it, and it equals the entries in the space.
pub fn get_many(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::GetManyRequest>(bytes) else {
        return Verdict::Refused;
    };
    let asked = (messages::at_in(request.at, &request.root), messages::keys_in(&request.keys));
    let Some(answer) = answered(block_on(query().get_many(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let (Ok(at), Ok(keys)) = asked else { panic!("the service accepted it") };
    let got = answer::check_get_many(&keys, answer).expect("the pages prove the answer");
    for (key, entry) in got.entries {
        let held = honest().space.get(at, &key).expect("reading from memory succeeds");
        assert_eq!(entry, held.map(|found| found.entry));
    }
    Verdict::Accepted
}

/// Decodes a field element that the service accepted.
fn element(bytes: &[u8]) -> F {
    let bytes = bytes.try_into().expect("the service accepted it");
    field::from_bytes(bytes).expect("the service accepted it")
}
