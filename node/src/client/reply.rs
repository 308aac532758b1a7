//! Replies into what they mean, checked as far as they can be without knowing the right root. Pure
//! functions: whatever a peer sends to a client goes through here or through
//! [`answer`](super::answer).

use std::collections::BTreeMap;

use rootfold_core::{
    field,
    space::Genesis,
    tree::{InlineValues, Page, MAX_PAGE_BYTES},
    F,
};
use rootfold_proto::v1;
use rootfold_verifier::VerifyingKey;

use super::{error::words, PeerCause};
use crate::{
    snapshot::Snapshot,
    space::{Ingested, Submission},
    values::{Value, ValueName},
    wire,
};

/// The largest verifying key that is decoded.
const MAX_KEY_BYTES: usize = 64 * 1024;
/// Messages of a stream without any content that are put up with.
const MAX_EMPTY_MESSAGES: usize = 16;

/// What a peer says about how far it is. Nothing of it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    /// The root of all ops that it holds.
    pub root: F,
    /// The number of ops of each writer.
    pub writers: BTreeMap<u32, u64>,
}

/// What a peer answered when it was asked to check a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Why it refuses the snapshot; `None` if it accepts it.
    pub refusal: Option<String>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// A page with the small values that came with it, checked against its name.
#[derive(Debug, Clone)]
pub struct ReceivedPage {
    /// Its name.
    pub name: F,
    /// The page. Its hints are not bound by the name.
    pub page: Page,
    /// Values of its entries, checked against their digests.
    pub values: Vec<Value>,
}

/// The config that `space` was made from. Thousands of writers take seconds.
///
/// # Errors
/// [`PeerCause`] if it is none, nobody could sign under one of its keys, or it is another's.
pub fn genesis(space: F, reply: &v1::GenesisReply) -> Result<Genesis, PeerCause> {
    let genesis = Genesis::from_bytes(&reply.genesis)?;
    genesis.check()?;
    let actual = genesis.space_id();
    if actual == space {
        return Ok(genesis);
    }
    let (expected, actual) = (field::to_hex(&space), field::to_hex(&actual));
    Err(PeerCause::OtherGenesis { expected, actual })
}

/// The verifying key of the parameters with this id. That it may be used is for
/// [`PreparedVerifyingKey::new`](rootfold_verifier::PreparedVerifyingKey::new) to say.
///
/// # Errors
/// [`PeerCause`] if it is none, or another.
pub fn verifying_key(
    parameters: [u8; 32],
    reply: &v1::VerifyingKeyReply,
) -> Result<VerifyingKey, PeerCause> {
    wire::at_most("bytes of verifying key", reply.verifying_key.len(), MAX_KEY_BYTES)?;
    let refused = |what| PeerCause::VerifyingKey { what };
    let key = VerifyingKey::decode(&reply.verifying_key).map_err(|e| refused(e.to_string()))?;
    if key.id().0 == parameters {
        Ok(key)
    } else {
        Err(refused(format!("it belongs to parameters {}", key.id())))
    }
}

/// The newest snapshot that the peer offers. Not verified.
///
/// # Errors
/// [`PeerCause::Wire`].
pub fn latest_snapshot(reply: v1::LatestSnapshotReply) -> Result<Snapshot, PeerCause> {
    Ok(wire::snapshot_in(reply.snapshot)?)
}

/// How far the peer says it is.
///
/// # Errors
/// [`PeerCause::Wire`].
pub fn frontier(reply: &v1::FrontierReply) -> Result<Frontier, PeerCause> {
    let root = wire::field("root", &reply.root)?;
    let writers = wire::frontier_in(&reply.writers)?.into_iter().collect();
    Ok(Frontier { root, writers })
}

/// What became of ops that were handed over.
///
/// # Errors
/// [`PeerCause::Wire`].
pub fn submitted(reply: &v1::SubmitReply) -> Result<Ingested, PeerCause> {
    Ok(Ingested { ops: reply.accepted, root: wire::field("root", &reply.root)? })
}

/// What the peer says about a snapshot.
pub fn checked(reply: &v1::CheckReply) -> Checked {
    let refusal = (!reply.accepted).then(|| words(&reply.refusal));
    Checked { refusal, micros: reply.micros }
}

/// A page of this name. Hashing an average leaf takes milliseconds.
///
/// # Errors
/// [`PeerCause::Page`].
pub fn page(name: F, content: &[u8]) -> Result<ReceivedPage, PeerCause> {
    let (page, inline) =
        Page::check(&name, content).map_err(|source| PeerCause::Page { source })?;
    let values = inline_values(&page, inline);
    Ok(ReceivedPage { name, page, values })
}

/// The inline values of a page by their names. [`Page::decode`] checked each against its entry.
pub(super) fn inline_values(page: &Page, inline: InlineValues) -> Vec<Value> {
    let mut inline = inline.into_iter().peekable();
    let mut values = Vec::new();
    for entry in page.entries() {
        // They come in the order of the entries; one that has none is passed over.
        let Some((digest, _)) = inline.peek() else { break };
        if *digest != entry.value {
            continue;
        }
        if let (Some(name), Some((_, content))) = (ValueName::of_entry(entry), inline.next()) {
            let value = Value { name, content };
            // An entry without its value may stand before one with the same digest and another
            // kind of key.
            if value.check().is_ok() {
                values.push(value);
            }
        }
    }
    values
}

/// Counts empty messages, of which a stream could have any number.
#[derive(Debug, Default)]
struct EmptyMessages(usize);

impl EmptyMessages {
    fn see(&mut self, empty: bool) -> Result<(), PeerCause> {
        self.0 += usize::from(empty);
        if self.0 > MAX_EMPTY_MESSAGES {
            return Err(PeerCause::Empty { messages: self.0 });
        }
        Ok(())
    }
}

/// A stream of pages that were asked for.
#[derive(Debug)]
pub struct PageStream {
    wanted: Vec<F>,
    /// A page of which a part came, with more to come.
    begun: Option<(F, Vec<u8>)>,
    empty: EmptyMessages,
}

impl PageStream {
    /// The stream that answers a request for pages of these names.
    pub fn new(names: &[F]) -> PageStream {
        PageStream { wanted: names.to_vec(), begun: None, empty: EmptyMessages::default() }
    }

    /// Looks at a message as a whole, before its parts are [taken](PageStream::take).
    ///
    /// # Errors
    /// [`PeerCause::Empty`] if that happens too often.
    pub fn see(&mut self, message: &v1::PagesReply) -> Result<(), PeerCause> {
        self.empty.see(message.pages.iter().all(|part| part.content.is_empty()))
    }

    /// Takes a page or a part of one; returns name and content of a page that is complete. The
    /// content is still to be [checked](page).
    ///
    /// # Errors
    /// [`PeerCause`] if it was not asked for or is longer than any page.
    pub fn take(&mut self, part: v1::Page) -> Result<Option<(F, Vec<u8>)>, PeerCause> {
        let name = wire::field("page name", &part.name)?;
        let (of, mut content) = self.begun.take().unwrap_or((name, Vec::new()));
        if of != name || !self.wanted.contains(&name) {
            return Err(PeerCause::NotAsked { what: "page" });
        }
        wire::at_most("bytes of page", content.len() + part.content.len(), MAX_PAGE_BYTES)?;
        content.extend_from_slice(&part.content);
        if part.more {
            self.begun = Some((name, content));
            return Ok(None);
        }
        self.wanted.retain(|wanted| *wanted != name);
        Ok(Some((name, content)))
    }
}

/// A stream of values that were asked for.
#[derive(Debug)]
pub struct ValueStream {
    wanted: Vec<ValueName>,
    empty: EmptyMessages,
}

impl ValueStream {
    /// The stream that answers a request for values of these names.
    pub fn new(names: &[ValueName]) -> ValueStream {
        ValueStream { wanted: names.to_vec(), empty: EmptyMessages::default() }
    }

    /// Looks at a message as a whole, before its values are [taken](ValueStream::take).
    ///
    /// # Errors
    /// [`PeerCause::Empty`] if that happens too often.
    pub fn see(&mut self, message: &v1::ValuesReply) -> Result<(), PeerCause> {
        self.empty.see(message.values.is_empty())
    }

    /// Takes a value and checks it against its name.
    ///
    /// # Errors
    /// [`PeerCause`] if it was not asked for or does not match.
    pub fn take(&mut self, value: v1::Value) -> Result<Value, PeerCause> {
        let value = wire::value_in(value)?;
        if !self.wanted.contains(&value.name) {
            return Err(PeerCause::NotAsked { what: "value" });
        }
        value.check()?;
        self.wanted.retain(|wanted| *wanted != value.name);
        Ok(value)
    }
}

/// A stream of ops.
#[derive(Debug, Default)]
pub struct OpStream {
    empty: EmptyMessages,
}

impl OpStream {
    /// Takes the ops of a message. Not checked: that is what an ingest does.
    ///
    /// # Errors
    /// [`PeerCause`].
    pub fn take(&mut self, reply: v1::LogEntriesReply) -> Result<Submission, PeerCause> {
        let submission = wire::submission_in(reply.submission)?;
        self.empty.see(submission.batches.is_empty())?;
        Ok(submission)
    }
}
