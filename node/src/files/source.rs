//! Published files as a peer: a service in this process that answers from them. What it sends is checked like
//! the answers of any node.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{stream, Stream, StreamExt, TryStreamExt};
use prost::Name;
use rootfold_core::{tree::MAX_PAGE_BYTES, value::MAX_VALUE};
use rootfold_light::{
    invite::Invite,
    messages,
    published::{
        message, page_file, value_file, ObjectName, Published, MAX_OBJECT_BYTES, MAX_POINTER_BYTES,
        POINTER,
    },
};
use rootfold_proto::{
    limits::MAX_NAMES,
    reason::Reason,
    v1::{
        self,
        replication_service_server::{ReplicationService, ReplicationServiceServer},
    },
};
use tokio::{io::DuplexStream, sync::Mutex};
use tonic::{transport::Server, Request, Response, Status};

use super::{
    error::FilesError,
    place::{FilesUrl, Place},
};
use crate::{
    client::{Peer, PeerError},
    server::{invalid, page_parts, refuse, ResponseStream},
};

/// The number of files that one call reads at once.
const AT_ONCE: usize = 16;
/// How long a pointer is taken for the newest.
const FRESH: Duration = Duration::from_secs(1);
/// The bytes on the way between the service and its client.
const BUFFER: usize = 256 * 1024;

/// Published files.
#[derive(Clone)]
pub(super) struct Source {
    place: Place,
    pointer: Arc<Mutex<Option<(Instant, Pointer)>>>,
}

type Pointer = Arc<(Invite, Published)>;

/// A peer that answers from the files at `url`; errors name it by `address`.
pub(super) async fn connect(address: &str, url: &FilesUrl) -> Result<Peer, PeerError> {
    let place = Place::new(url).map_err(|e| PeerError {
        peer: address.to_owned(),
        cause: Box::new(crate::client::PeerCause::Address { what: e.to_string() }),
    })?;
    let source = Source { place, pointer: Arc::default() };
    let connector = tower::service_fn(move |_| {
        let source = source.clone();
        async move { Ok::<_, std::io::Error>(serve(source)) }
    });
    Peer::connect_over(address, "http", "files", connector).await
}

/// Serves one connection. It ends with the client's side.
fn serve(source: Source) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    tokio::spawn(async move {
        let service = ReplicationServiceServer::new(source);
        let only = stream::iter([Ok::<_, std::io::Error>(theirs)]);
        let served = Server::builder().add_service(service).serve_with_incoming(only).await;
        if let Err(e) = served {
            tracing::debug!(error = %e, "reading published files ended");
        }
    });
    ours
}

fn failed(e: FilesError) -> Status {
    match e {
        FilesError::Missing { .. } => refuse(Reason::NotHeld, e.to_string()),
        FilesError::Host { .. } => Status::unavailable(e.to_string()),
        e => Status::data_loss(e.to_string()),
    }
}

impl Source {
    /// The pointer, which must be for this space.
    async fn published(&self, space: &[u8]) -> Result<Pointer, Status> {
        let mut kept = self.pointer.lock().await;
        let pointer = match &*kept {
            Some((at, pointer)) if at.elapsed() < FRESH => pointer.clone(),
            _ => {
                let read = Arc::new(self.read_pointer().await.map_err(failed)?);
                *kept = Some((Instant::now(), read.clone()));
                read
            }
        };
        let asked = messages::field("space", space).map_err(invalid)?;
        match pointer.0.space == asked {
            true => Ok(pointer),
            false => Err(refuse(Reason::OtherSpace, "these are the files of another space")),
        }
    }

    async fn read_pointer(&self) -> Result<(Invite, Published), FilesError> {
        let missing = || FilesError::Missing { name: POINTER.to_owned() };
        let bytes = self.place.get(POINTER, MAX_POINTER_BYTES).await?.ok_or_else(missing)?;
        Ok(Published::decode(&bytes)?)
    }

    async fn object<M: prost::Message + Name + Default>(
        &self,
        name: &ObjectName,
    ) -> Result<M, Status> {
        self.read_object(name).await.map_err(failed)
    }

    async fn read_object<M: prost::Message + Name + Default>(
        &self,
        name: &ObjectName,
    ) -> Result<M, FilesError> {
        let file = name.file();
        let missing = || FilesError::Missing { name: file.clone() };
        let bytes = self.place.get(&file, MAX_OBJECT_BYTES).await?.ok_or_else(missing)?;
        name.check(&bytes)?;
        Ok(message(&file, &bytes)?)
    }

    /// The contents of files in the order of their names, without those that are missing.
    fn files<N: Send + 'static>(
        &self,
        names: Vec<(N, String)>,
        most: usize,
    ) -> impl Stream<Item = Result<(N, Bytes), Status>> + Send + 'static {
        let place = self.place.clone();
        let read = stream::iter(names).map(move |(name, file)| {
            let place = place.clone();
            async move { place.get(&file, most).await.map(|content| Some((name, content?))) }
        });
        read.buffered(AT_ONCE).map_err(failed).try_filter_map(|file| async { Ok(file) })
    }
}

/// What a caller with these logs lacks of a message; `None` if it is nothing.
fn lacking(
    logs: &BTreeMap<u32, u64>,
    message: v1::LogEntriesResponse,
) -> Option<v1::LogEntriesResponse> {
    let mut submission = message.submission?;
    submission.batches.retain(|batch| {
        let end = batch.first_seq.saturating_add(batch.ops.len() as u64);
        logs.get(&batch.writer).is_some_and(|held| *held < end)
    });
    let (mut gaps, mut batches) = (Vec::new(), Vec::new());
    for batch in submission.batches {
        match logs.get(&batch.writer) {
            // The ops before are in the snapshot alone.
            Some(held) if *held < batch.first_seq => gaps.push((batch.writer, batch.first_seq)),
            _ => batches.push(batch),
        }
    }
    let submission = v1::Submission { batches, ..submission };
    let empty = submission.batches.is_empty() && gaps.is_empty();
    let submission = (!submission.batches.is_empty()).then_some(submission);
    let not_held = messages::logs_out(&gaps);
    (!empty).then_some(v1::LogEntriesResponse { submission, not_held, holders: Vec::new() })
}

#[tonic::async_trait]
impl ReplicationService for Source {
    type PagesStream = ResponseStream<v1::PagesResponse>;
    type ValuesStream = ResponseStream<v1::ValuesResponse>;
    type LogEntriesStream = ResponseStream<v1::LogEntriesResponse>;

    async fn genesis(
        &self,
        request: Request<v1::GenesisRequest>,
    ) -> Result<Response<v1::GenesisResponse>, Status> {
        let published = self.published(&request.into_inner().space).await?;
        let none = || refuse(Reason::NotHeld, "the publisher had no genesis config");
        let name = published.1.genesis.ok_or_else(none)?;
        self.object(&name).await.map(Response::new)
    }

    async fn verifying_key(
        &self,
        request: Request<v1::VerifyingKeyRequest>,
    ) -> Result<Response<v1::VerifyingKeyResponse>, Status> {
        let asked = messages::parameter_id(&request.into_inner().parameters).map_err(invalid)?;
        let (invite, published) = self.read_pointer().await.map_err(failed)?;
        if invite.parameters != asked {
            return Err(refuse(Reason::NotHeld, "these are the files of other parameters"));
        }
        self.object(&published.verifying_key).await.map(Response::new)
    }

    async fn latest_snapshot(
        &self,
        request: Request<v1::LatestSnapshotRequest>,
    ) -> Result<Response<v1::LatestSnapshotResponse>, Status> {
        let published = self.published(&request.into_inner().space).await?;
        self.object(&published.1.snapshot).await.map(Response::new)
    }

    async fn pages(
        &self,
        request: Request<v1::PagesRequest>,
    ) -> Result<Response<Self::PagesStream>, Status> {
        let names = request.into_inner().names;
        messages::at_most("page names", names.len(), MAX_NAMES).map_err(invalid)?;
        let file = |name: Vec<u8>| -> Result<(Vec<u8>, String), Status> {
            let file = page_file(&messages::field("page name", &name).map_err(invalid)?);
            Ok((name, file))
        };
        let names: Vec<_> = names.into_iter().map(file).collect::<Result<_, _>>()?;
        let pages = self.files(names, MAX_PAGE_BYTES);
        let parts = pages.map_ok(|(name, content)| {
            let parts = page_parts(&name, &content).into_iter();
            stream::iter(parts.map(|part| Ok(v1::PagesResponse { pages: vec![part] })))
        });
        Ok(Response::new(Box::pin(parts.try_flatten())))
    }

    async fn values(
        &self,
        request: Request<v1::ValuesRequest>,
    ) -> Result<Response<Self::ValuesStream>, Status> {
        let names = request.into_inner().names;
        messages::at_most("value names", names.len(), MAX_NAMES).map_err(invalid)?;
        let file = |name: v1::ValueName| -> Result<(v1::ValueName, String), Status> {
            let file = value_file(&messages::name_in(&name).map_err(invalid)?);
            Ok((name, file))
        };
        let names: Vec<_> = names.into_iter().map(file).collect::<Result<_, _>>()?;
        let values = self.files(names, MAX_VALUE).map_ok(|(name, content)| {
            let value = v1::Value { name: Some(name), content: content.to_vec() };
            v1::ValuesResponse { values: vec![value] }
        });
        Ok(Response::new(Box::pin(values)))
    }

    async fn frontier(
        &self,
        request: Request<v1::FrontierRequest>,
    ) -> Result<Response<v1::FrontierResponse>, Status> {
        let v1::FrontierRequest { space, root, first } = request.into_inner();
        let published = self.published(&space).await?;
        let mut begins = 0;
        for name in &published.1.frontier {
            let mut page = self.object::<v1::FrontierResponse>(name).await?;
            if begins == first {
                if page.root == root {
                    page.writers.clear();
                    page.next = 0;
                }
                return Ok(Response::new(page));
            }
            begins = page.next;
        }
        Err(refuse(
            Reason::InvalidRequest,
            format!("no page of the frontier begins at writer {first}"),
        ))
    }

    async fn fork(
        &self,
        _: Request<v1::ForkRequest>,
    ) -> Result<Response<v1::ForkResponse>, Status> {
        Err(refuse(Reason::NotHeld, "published files have no evidence of forks"))
    }

    async fn log_entries(
        &self,
        request: Request<v1::LogEntriesRequest>,
    ) -> Result<Response<Self::LogEntriesStream>, Status> {
        let v1::LogEntriesRequest { space, logs } = request.into_inner();
        let published = self.published(&space).await?;
        let logs = messages::frontier_in(&logs).map_err(invalid)?;
        let logs: BTreeMap<u32, u64> = logs.into_iter().collect();
        let source = self.clone();
        let read = stream::iter(published.1.tail.clone()).map(move |name| {
            let source = source.clone();
            async move { source.object::<v1::LogEntriesResponse>(&name).await }
        });
        let lacking = read.buffered(AT_ONCE).try_filter_map(move |message| {
            let lacking = lacking(&logs, message);
            async { Ok(lacking) }
        });
        Ok(Response::new(Box::pin(lacking)))
    }

    async fn submit(
        &self,
        _: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitResponse>, Status> {
        Err(refuse(Reason::Disabled, "published files take no ops: submit them to a node"))
    }
}
