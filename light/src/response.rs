//! Checks of all responses of a node except answers to queries, which are in
//! [`answer`](crate::answer). Pure functions from messages to types.

use std::collections::BTreeMap;

use rootfold_core::{
    field,
    space::Genesis,
    tree::{InlineValues, Page, MAX_PAGE_BYTES},
    F,
};
use rootfold_proto::v1;
use rootfold_verifier::{ParameterId, VerifyingKey};

use crate::{
    error::ResponseError,
    fork::{CheckedFork, Fork},
    invite::MAX_ADDRESS_BYTES,
    messages::{self, MessageError},
    snapshot::Snapshot,
    submission::{Ingested, Submission},
    values::{Value, ValueName},
};

/// The limit of an encoded verifying key, in bytes.
pub const MAX_KEY_BYTES: usize = 64 * 1024;
/// The number of empty messages that one stream may have.
const MAX_EMPTY_MESSAGES: usize = 16;

/// A page of how far the logs of a peer go, by its own account: nothing of it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    /// The fold of all ops that the peer holds.
    pub root: F,
    /// The number of ops of each writer, and the head after them.
    pub writers: BTreeMap<u32, (u64, F)>,
    /// The first writer of the next page; `None` after the last page.
    pub next: Option<u32>,
    /// The logs of which the peer has evidence of a fork, each with the number of ops before it.
    pub forked: Vec<(u32, u64)>,
    /// The number of ops that its newest snapshot covers; 0 without one.
    pub snapshot_ops: u64,
    /// Whether it holds all ops since genesis.
    pub full_history: bool,
}

/// The verdict of a peer on a snapshot. Only a client that trusts the peer has a use for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Why it refuses the snapshot; `None` if it accepts it.
    pub refusal: Option<String>,
    /// The duration of the check in microseconds.
    pub micros: u64,
}

/// A page whose name is checked, with its inline values.
#[derive(Debug, Clone)]
pub struct ReceivedPage {
    /// The name of the page.
    pub name: F,
    /// The page. The name does not bind its separator keys.
    pub page: Page,
    /// The inline values of its entries, checked against their digests.
    pub values: Vec<Value>,
}

/// The genesis config of `space`. Takes about a millisecond per writer, of whom there may be
/// thousands.
///
/// # Errors
/// [`ResponseError::Genesis`] if the config does not decode or one of its keys is not usable,
/// [`ResponseError::OtherGenesis`] if its root is another space's id.
pub fn genesis(space: F, response: &v1::GenesisResponse) -> Result<Genesis, ResponseError> {
    let genesis = Genesis::from_bytes(&response.genesis)?;
    genesis.check()?;
    let actual = genesis.space_id();
    if actual == space {
        return Ok(genesis);
    }
    let (expected, actual) = (field::to_hex(&space), field::to_hex(&actual));
    Err(ResponseError::OtherGenesis { expected, actual })
}

/// The verifying key of the parameters with this id. The elements of the key are not checked:
/// [`PreparedVerifyingKey::new`](rootfold_verifier::PreparedVerifyingKey::new) does that.
///
/// # Errors
/// [`ResponseError`] if the key is too long, does not decode, or has another id.
pub fn verifying_key(
    parameters: ParameterId,
    response: &v1::VerifyingKeyResponse,
) -> Result<VerifyingKey, ResponseError> {
    messages::at_most("bytes of verifying key", response.verifying_key.len(), MAX_KEY_BYTES)?;
    let refused = |what| ResponseError::VerifyingKey { what };
    let key = VerifyingKey::decode(&response.verifying_key).map_err(|e| refused(e.to_string()))?;
    if key.id() == parameters {
        Ok(key)
    } else {
        Err(refused(format!("it belongs to parameters {}", key.id())))
    }
}

/// The newest snapshot of the peer. It is not verified: see [`verify`](crate::verify::verify).
///
/// # Errors
/// [`ResponseError::Message`].
pub fn latest_snapshot(response: v1::LatestSnapshotResponse) -> Result<Snapshot, ResponseError> {
    Ok(messages::snapshot_in(response.snapshot)?)
}

/// A page of the frontier of the peer that begins at writer `first`.
///
/// # Errors
/// [`ResponseError::Message`] also if the page has writers before `first`, or the next page would not
/// follow it: the pages of a peer always end.
pub fn frontier(first: u32, response: &v1::FrontierResponse) -> Result<Frontier, ResponseError> {
    let root = messages::field("root", &response.root)?;
    let tips = messages::tips_in(&response.writers)?;
    let disorder = MessageError::Disorder { what: "the pages of a frontier" };
    let (low, high) = (response.writers.first(), response.writers.last());
    let after = high.map_or(first, |last| last.writer);
    let next = (response.next != 0).then_some(response.next);
    let follows = next.is_none_or(|next| next > after && !tips.is_empty());
    if low.is_some_and(|tip| tip.writer < first) || !follows {
        return Err(disorder.into());
    }
    let forked = messages::frontier_in(&response.forked)?;
    let writers = tips.into_iter().map(|(writer, seq, head)| (writer, (seq, head))).collect();
    let (snapshot_ops, full_history) = (response.snapshot_ops, response.full_history);
    Ok(Frontier { root, writers, next, forked, snapshot_ops, full_history })
}

/// The evidence of a fork of `writer`, checked.
///
/// # Errors
/// [`ResponseError::Fork`] if it is no evidence or of another writer.
pub fn fork(writer: u32, response: &v1::ForkResponse) -> Result<CheckedFork, ResponseError> {
    let message = response.fork.as_ref().ok_or(MessageError::Missing { what: "fork" })?;
    let fork = Fork::from_message(message)?.check()?;
    if fork.writer() == writer {
        Ok(fork)
    } else {
        Err(ResponseError::NotRequested { what: "fork" })
    }
}

/// The result of a submission, by the peer's own account.
///
/// # Errors
/// [`ResponseError::Message`].
pub fn submitted(response: &v1::SubmitResponse) -> Result<Ingested, ResponseError> {
    Ok(Ingested { ops: response.accepted, root: messages::field("root", &response.root)? })
}

/// The verdict of the peer on a snapshot.
///
/// # Errors
/// [`ResponseError::Message`] if it accepts the snapshot and names a reason for refusal, or refuses it
/// and names none.
pub fn checked(response: &v1::CheckResponse) -> Result<Checked, ResponseError> {
    let what = "refusal";
    match (response.accepted, response.refusal.as_str()) {
        (true, "") => Ok(Checked { refusal: None, micros: response.micros }),
        (true, _) => Err(MessageError::Unexpected { what }.into()),
        (false, "") => Err(MessageError::Missing { what }.into()),
        (false, refusal) => {
            Ok(Checked { refusal: Some(printable(refusal)), micros: response.micros })
        }
    }
}

/// The longest text of a peer that is repeated, in characters.
const MAX_TEXT: usize = 500;

/// A text of a peer that is safe to print: at most 500 characters, without control characters.
pub fn printable(text: &str) -> String {
    let safe = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(MAX_TEXT).map(safe).collect()
}

/// A page of this name. Costs one page hash: milliseconds for an average leaf.
///
/// # Errors
/// [`ResponseError::Page`].
pub fn page(name: F, content: &[u8]) -> Result<ReceivedPage, ResponseError> {
    let (page, inline) =
        Page::check(&name, content).map_err(|source| ResponseError::Page { source })?;
    let values = inline_values(&page, inline);
    Ok(ReceivedPage { name, page, values })
}

/// The inline values of a page. [`Page::decode`] has checked each against the digest of its entry.
pub(crate) fn inline_values(page: &Page, inline: InlineValues) -> Vec<Value> {
    let mut inline = inline.into_iter().peekable();
    let mut values = Vec::new();
    for entry in page.entries() {
        // Both are in the order of the entries; an entry may have no inline value.
        let Some((digest, _)) = inline.peek() else { break };
        if *digest != entry.value {
            continue;
        }
        if let (Some(name), Some((_, content))) = (ValueName::of_entry(entry), inline.next()) {
            let value = Value { name, content };
            // An entry without an inline value can precede one with the same digest and another
            // kind of key.
            if value.check().is_ok() {
                values.push(value);
            }
        }
    }
    values
}

/// The number of empty messages that a stream has had.
#[derive(Debug, Default)]
struct EmptyMessages(usize);

impl EmptyMessages {
    fn see(&mut self, empty: bool) -> Result<(), ResponseError> {
        self.0 += usize::from(empty);
        if self.0 > MAX_EMPTY_MESSAGES {
            return Err(ResponseError::Empty { messages: self.0 });
        }
        Ok(())
    }
}

/// Checks a stream of requested pages.
#[derive(Debug)]
pub struct PageStream {
    wanted: Vec<F>,
    /// The name and the first parts of an incomplete page.
    begun: Option<(F, Vec<u8>)>,
    empty: EmptyMessages,
}

impl PageStream {
    /// The response to a request for pages of these names.
    pub fn new(names: &[F]) -> PageStream {
        PageStream { wanted: names.to_vec(), begun: None, empty: EmptyMessages::default() }
    }

    /// Counts a message if it is empty. Call it before [`PageStream::take`].
    ///
    /// # Errors
    /// [`ResponseError::Empty`] if the stream has too many empty messages.
    pub fn see(&mut self, message: &v1::PagesResponse) -> Result<(), ResponseError> {
        self.empty.see(message.pages.iter().all(|part| part.content.is_empty()))
    }

    /// Takes a page or a part of one. Returns name and content of the page once it is complete; the
    /// content is not checked: see [`page`].
    ///
    /// # Errors
    /// [`ResponseError`] if the page was not requested, came before, or exceeds [`MAX_PAGE_BYTES`].
    pub fn take(&mut self, part: v1::Page) -> Result<Option<(F, Vec<u8>)>, ResponseError> {
        let name = messages::field("page name", &part.name)?;
        let (of, mut content) = self.begun.take().unwrap_or((name, Vec::new()));
        if of != name || !self.wanted.contains(&name) {
            return Err(ResponseError::NotRequested { what: "page" });
        }
        messages::at_most("bytes of page", content.len() + part.content.len(), MAX_PAGE_BYTES)?;
        content.extend_from_slice(&part.content);
        if part.more {
            self.begun = Some((name, content));
            return Ok(None);
        }
        self.wanted.retain(|wanted| *wanted != name);
        Ok(Some((name, content)))
    }
}

/// Checks a stream of requested values.
#[derive(Debug)]
pub struct ValueStream {
    wanted: Vec<ValueName>,
    empty: EmptyMessages,
}

impl ValueStream {
    /// The response to a request for values of these names.
    pub fn new(names: &[ValueName]) -> ValueStream {
        ValueStream { wanted: names.to_vec(), empty: EmptyMessages::default() }
    }

    /// Counts a message if it is empty. Call it before [`ValueStream::take`].
    ///
    /// # Errors
    /// [`ResponseError::Empty`] if the stream has too many empty messages.
    pub fn see(&mut self, message: &v1::ValuesResponse) -> Result<(), ResponseError> {
        self.empty.see(message.values.is_empty())
    }

    /// Takes a value and checks it against its name.
    ///
    /// # Errors
    /// [`ResponseError`] if the value was not requested, came before, or does not match its name.
    pub fn take(&mut self, value: v1::Value) -> Result<Value, ResponseError> {
        let value = messages::value_in(value)?;
        if !self.wanted.contains(&value.name) {
            return Err(ResponseError::NotRequested { what: "value" });
        }
        value.check()?;
        self.wanted.retain(|wanted| *wanted != value.name);
        Ok(value)
    }
}

/// A message of a stream of ops.
#[derive(Debug, Default)]
pub struct OpMessage {
    /// The next ops. Their signatures and values are not checked: an ingest does that.
    pub submission: Submission,
    /// The logs of which the peer does not hold the next op, each with the number of ops before the
    /// first that it holds.
    pub not_held: Vec<(u32, u64)>,
    /// Addresses of nodes that hold all ops, by the peer's account; at most [`MAX_HOLDERS`], printable.
    pub holders: Vec<String>,
}

/// The largest number of holders of a history in a message.
pub const MAX_HOLDERS: usize = 8;

/// Checks a stream of ops.
#[derive(Debug, Default)]
pub struct OpStream {
    begun: bool,
    empty: EmptyMessages,
}

impl OpStream {
    /// Takes a message.
    ///
    /// # Errors
    /// [`ResponseError::Message`] also if a later message than the first names logs that are not held,
    /// [`ResponseError::Empty`].
    pub fn take(&mut self, response: v1::LogEntriesResponse) -> Result<OpMessage, ResponseError> {
        let not_held = messages::frontier_in(&response.not_held)?;
        if self.begun && !not_held.is_empty() {
            return Err(MessageError::Unexpected { what: "list of logs that are not held" }.into());
        }
        self.begun = true;
        let submission = match response.submission {
            None if !not_held.is_empty() => Submission::default(),
            submission => messages::submission_in(submission)?,
        };
        self.empty.see(submission.batches.is_empty())?;
        let holders = if not_held.is_empty() { Vec::new() } else { response.holders };
        let proper = |address: &String| address.len() <= MAX_ADDRESS_BYTES;
        let holders = holders.iter().take(MAX_HOLDERS).filter(|address| proper(address));
        let holders = holders.map(|address| printable(address)).collect();
        Ok(OpMessage { submission, not_held, holders })
    }
}
