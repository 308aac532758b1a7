//! Requests: decoded as the server decodes them and answered by its own services.
//!
//! A refusal blames the caller and never the node; an answer is one that our own client accepts.

use std::sync::OnceLock;

use rootfold_core::{field, key::Key, log::SignedOp, F};
use rootfold_light::{
    answer, messages,
    query::At,
    reply,
    values::{Value, ValueName},
};
use rootfold_node::{
    server::{QueryService, ReplicationService, ReplyStream, VerificationService},
    space::Space,
};
use rootfold_proto::v1::{
    self, query_server::Query, replication_server::Replication, verification_server::Verification,
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

/// What a service answered; `None` for a refusal, which must not be this node's failure.
fn answered<T>(reply: Result<Response<T>, Status>) -> Option<T> {
    reply.map(Response::into_inner).map_err(|status| assert_blames_caller(&status)).ok()
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

/// All messages of a stream, up to an error if there is one.
async fn drained<T>(mut stream: ReplyStream<T>) -> (Vec<T>, Option<Status>) {
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
    let genesis = reply::genesis(id(), &answer);
    assert_eq!(genesis.expect("an honest answer"), honest().genesis);
    Verdict::Accepted
}

/// `VerifyingKeyRequest`: the answer is the key of that id.
pub fn verifying_key(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::VerifyingKeyRequest>(bytes) else {
        return Verdict::Refused;
    };
    let asked = request.parameters.clone();
    let Some(answer) = answered(block_on(replication().verifying_key(Request::new(request))))
    else {
        return Verdict::Refused;
    };
    let asked = messages::parameter_id(&asked).expect("the id was answered");
    reply::verifying_key(asked, &answer).expect("an honest answer");
    Verdict::Accepted
}

/// `LatestSnapshotRequest`: the answer is about the space that was asked for.
pub fn latest_snapshot(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::LatestSnapshotRequest>(bytes) else {
        return Verdict::Refused;
    };
    let Some(answer) = answered(block_on(replication().latest_snapshot(Request::new(request))))
    else {
        return Verdict::Refused;
    };
    let snapshot = reply::latest_snapshot(answer).expect("an honest answer");
    assert_eq!(snapshot.header.space, id());
    Verdict::Accepted
}

/// `PagesRequest`: the answer holds pages that were asked for, each under its name.
pub fn pages(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::PagesRequest>(bytes) else { return Verdict::Refused };
    let names = request.names.clone();
    let answer = block_on(async {
        let stream = answered(replication().pages(Request::new(request)).await)?;
        Some(drained(stream).await)
    });
    let Some((messages, error)) = answer else { return Verdict::Refused };
    let names: Vec<F> = names.iter().map(|name| element(name)).collect();
    let mut stream = reply::PageStream::new(&names);
    for message in messages {
        stream.see(&message).expect("no message is empty");
        for part in message.pages {
            if let Some((name, content)) = stream.take(part).expect("it was asked for") {
                reply::page(name, &content).expect("a page of this name");
                // Also pages of trees that the space had before.
                let held = honest().space.page_bytes(&name).expect("a store in memory reads");
                assert_eq!(held, Some(content));
            }
        }
    }
    Verdict::of(error.is_none())
}

/// `ValuesRequest`: the answer holds values that were asked for, each under its name.
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
    let name = |name| messages::name_in(name).expect("it was answered");
    let names: Vec<ValueName> = names.iter().map(name).collect();
    let mut stream = reply::ValueStream::new(&names);
    for message in messages {
        stream.see(&message).expect("no message is empty");
        for value in message.values {
            let Value { name, content } = stream.take(value).expect("it was asked for");
            let held = honest().space.value(&name).expect("a store in memory reads");
            assert_eq!(held, Some(content));
        }
    }
    Verdict::of(error.is_none())
}

/// `FrontierRequest`: the answer says how far the logs are.
pub fn frontier(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::FrontierRequest>(bytes) else {
        return Verdict::Refused;
    };
    let Some(answer) = answered(block_on(replication().frontier(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let frontier = reply::frontier(&answer).expect("an honest answer");
    let tips = honest().tips.iter();
    let honest = tips.map(|(writer, tip)| (*writer, tip.seq(*writer).expect("short logs")));
    assert_eq!(frontier.writers, honest.collect());
    Verdict::Accepted
}

/// `LogEntriesRequest`: the answer holds honest ops after the frontier, in messages that can be
/// taken in one by one.
pub fn log_entries(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::LogEntriesRequest>(bytes) else {
        return Verdict::Refused;
    };
    let answer = block_on(async {
        let stream = answered(replication().log_entries(Request::new(request)).await)?;
        Some(drained(stream).await)
    });
    let Some((messages, error)) = answer else { return Verdict::Refused };
    let mut stream = reply::OpStream::default();
    for message in messages {
        let submission = stream.take(message).expect("an honest message");
        for batch in &submission.batches {
            let log = honest().log(batch.writer);
            let from = usize::try_from(batch.first_seq).expect("short logs");
            assert!(log[from..].starts_with(&batch.ops));
            assert!(batch.ops.last().is_some_and(|op| op.signature.is_some()));
        }
    }
    Verdict::of(error.is_none())
}

/// `SubmitRequest`, into a copy of the honest space.
///
/// No op enters a log that its writer did not sign; what is refused changes nothing.
pub fn submit(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::SubmitRequest>(bytes) else {
        return Verdict::Refused;
    };
    let space = honest().copy();
    let service = ReplicationService::new(space.clone(), None);
    let answer = answered(block_on(service.submit(Request::new(request))));
    assert_honest_logs(&space);
    let Some(answer) = answer else {
        assert_eq!(space.status(), honest().space.status(), "a refusal that changed something");
        return Verdict::Refused;
    };
    let submitted = reply::submitted(&answer).expect("an honest answer");
    assert_eq!(submitted.root, space.status().root);
    assert_eq!(submitted.ops, space.status().ops - honest().space.status().ops);
    Verdict::Accepted
}

/// Asserts that every log of a space is a beginning of the honest one and ends with a signature.
pub(crate) fn assert_honest_logs(space: &Space) {
    for (writer, tip) in space.writers() {
        let log: Vec<SignedOp> = space
            .log(writer, 0, usize::MAX)
            .expect("a store in memory reads")
            .into_iter()
            .map(|(_, op)| op)
            .collect();
        assert_eq!(tip.seq(writer), Ok(log.len() as u64));
        let honest = honest().log(writer);
        assert!(log.len() <= honest.len(), "writer {writer} did not write that much");
        for (op, honest) in log.iter().zip(&honest) {
            assert_eq!(op.op, honest.op, "an op that writer {writer} did not sign");
            assert!(op.signature.is_none() || op.signature == honest.signature);
        }
        assert!(log.last().is_none_or(|op| op.signature.is_some()));
    }
}

/// `CheckRequest`. A proof of the word `honest` stands for the honest one.
///
/// What is accepted is the honest snapshot, or genesis, for the honest invite.
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
    let checked = reply::checked(&answer).expect("an honest answer");
    if checked.refusal.is_some() {
        return Verdict::Refused;
    }
    let snapshot = messages::snapshot_in(claimed.snapshot).expect("it was accepted");
    let space = element(&claimed.space);
    let genesis = snapshot.header.is_genesis() && snapshot.header.space == space;
    assert!(genesis || space == id(), "accepted for another space");
    if !genesis {
        assert_eq!(snapshot::accepted(snapshot), Verdict::Accepted);
    }
    Verdict::Accepted
}

/// `GetRequest`: the pages of the answer prove it.
pub fn get(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::GetRequest>(bytes) else { return Verdict::Refused };
    let (at, key) = (messages::at_in(request.at), request.key.clone());
    let Some(answer) = answered(block_on(query().get(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let key = Key::from_slice(&key).expect("it was answered");
    let got = answer::check_get(&key, answer).expect("the pages prove the answer");
    let at = at.expect("it was answered");
    let held = honest().space.get(at, &key).expect("a store in memory reads");
    assert_eq!(got.entry, held.as_ref().map(|found| found.entry));
    assert_eq!(got.value, held.and_then(|found| found.value));
    assert_eq!(Ok(got.root), honest().space.root(at).map_err(|e| e.to_string()));
    Verdict::Accepted
}

/// `RangeRequest`: the pages of the answer prove it.
pub fn range(bytes: &[u8]) -> Verdict {
    let Some(request) = message::decode::<v1::RangeRequest>(bytes) else {
        return Verdict::Refused;
    };
    let (at, from, to) = (messages::at_in(request.at), request.from.clone(), request.to.clone());
    let Some(answer) = answered(block_on(query().range(Request::new(request)))) else {
        return Verdict::Refused;
    };
    let [from, to] = [from, to].map(|key| Key::from_slice(&key).expect("it was answered"));
    let got = answer::check_range(&from, &to, answer).expect("the pages prove the answer");
    let at: At = at.expect("it was answered");
    let held = honest().space.scan(at, &from, &got.next.unwrap_or(to), usize::MAX, false);
    let held: Vec<_> = held.expect("reads").into_iter().map(|found| found.entry).collect();
    assert_eq!(got.entries, held);
    Verdict::Accepted
}

/// A field element that was decoded before.
fn element(bytes: &[u8]) -> F {
    let bytes = bytes.try_into().expect("it was answered");
    field::from_bytes(bytes).expect("it was answered")
}
