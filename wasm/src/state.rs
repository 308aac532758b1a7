//! The state of a space: a verified snapshot and the ops after it.

use std::collections::BTreeMap;

use prost::Message;
use rootfold_core::{eddsa::PublicKey, field, item::Entry, key::Key};
use rootfold_light::{
    answer::{self, AnswerState, ManyAnswer},
    messages,
    query::At,
    response::{self, OpStream},
    snapshot::SnapshotHeader,
    tail::Tail,
};
use rootfold_proto::{
    decode,
    limits::{MAX_FRONTIER, MAX_KEYS},
    v1,
};
use wasm_bindgen::prelude::{wasm_bindgen, JsError};

/// A verified snapshot and the ops after it.
#[wasm_bindgen]
pub struct State {
    pub(crate) header: SnapshotHeader,
    pub(crate) tail: Tail,
    stream: OpStream,
    /// The proved entries of shared keys that the tail writes.
    proved: BTreeMap<Key, Option<Entry>>,
}

/// How far the logs of a node go, by its own account.
#[wasm_bindgen(getter_with_clone)]
pub struct Frontier {
    /// The writers of whom the node has more ops than the state.
    pub longer: Vec<u32>,
    /// Those of them whose heads the state does not have.
    pub unknown: Vec<u32>,
    /// The writers of whose forks the node has evidence.
    pub forked: Vec<u32>,
    /// The number of ops that the node's newest snapshot covers.
    #[wasm_bindgen(js_name = snapshotOps)]
    pub snapshot_ops: u64,
    /// The first writer of the next page; `undefined` after the last page.
    pub next: Option<u32>,
}

impl State {
    pub(crate) fn new(header: SnapshotHeader) -> State {
        let (tail, stream) = (Tail::default(), OpStream::default());
        State { header, tail, stream, proved: BTreeMap::new() }
    }

    /// The state to ask for. A node whose newest snapshot is genesis need not keep genesis by its root.
    pub(crate) fn at(&self) -> At {
        if self.header.is_genesis() {
            At::Snapshot
        } else {
            At::Root(self.header.root)
        }
    }

    pub(crate) fn space(&self) -> Vec<u8> {
        messages::bytes(&self.header.space)
    }

    /// Checks that an answer belongs to the proved root.
    pub(crate) fn is_proved(&self, answer: &AnswerState) -> Result<(), JsError> {
        if answer.root == self.header.root {
            return Ok(());
        }
        let hex = |root| field::to_hex(root);
        let (actual, expected) = (hex(&answer.root), hex(&self.header.root));
        Err(JsError::new(&format!("answer under root {actual}, expected {expected}")))
    }

    fn many_request(&self, keys: &[Key]) -> Vec<u8> {
        let (at, root) = messages::at_out(self.at());
        let keys = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
        v1::GetManyRequest { space: self.space(), at, root, keys }.encode_to_vec()
    }

    fn many(&self, keys: &[Key], response: Vec<u8>) -> Result<ManyAnswer, JsError> {
        let response = decode::<v1::GetManyResponse>(response.into())?;
        let answer = answer::check_get_many(keys, response)?;
        self.is_proved(&answer.state)?;
        Ok(answer)
    }

    /// The next shared keys to be compared.
    pub(crate) fn to_compare(&self) -> Vec<Key> {
        let keys = self.tail.shared_keys().filter(|key| !self.proved.contains_key(key));
        keys.take(MAX_KEYS).copied().collect()
    }
}

/// A public key in 128 hexadecimal digits.
pub(crate) fn digits(key: &PublicKey) -> String {
    key.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The head keys of at most 64 ascending writers.
pub(crate) fn head_keys(writers: &[u32]) -> Vec<Key> {
    writers.iter().take(MAX_KEYS).map(|writer| Key::head(*writer)).collect()
}

#[wasm_bindgen]
impl State {
    /// The proved root, in 64 hexadecimal digits.
    #[wasm_bindgen(getter)]
    pub fn root(&self) -> String {
        field::to_hex(&self.header.root)
    }

    /// The number of ops that the proof covers.
    #[wasm_bindgen(getter)]
    pub fn ops(&self) -> u64 {
        self.header.ops
    }

    /// The number of steps that the proof covers.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> u64 {
        self.header.steps
    }

    /// The number of ops after the snapshot, whose signatures are checked.
    #[wasm_bindgen(getter, js_name = tailOps)]
    pub fn tail_ops(&self) -> usize {
        self.tail.ops()
    }

    /// A `FrontierRequest` for the page that begins with writer `first`.
    #[wasm_bindgen(js_name = frontierRequest)]
    pub fn frontier_request(&self, first: u32) -> Vec<u8> {
        v1::FrontierRequest { space: self.space(), root: Vec::new(), first }.encode_to_vec()
    }

    /// Reads a `FrontierResponse`.
    ///
    /// # Errors
    /// Not a frontier.
    #[wasm_bindgen(js_name = takeFrontier)]
    pub fn take_frontier(&self, first: u32, response: Vec<u8>) -> Result<Frontier, JsError> {
        let response = decode::<v1::FrontierResponse>(response.into())?;
        let frontier = response::frontier(first, &response)?;
        let longer = frontier
            .writers
            .iter()
            .filter(|(writer, (seq, _))| self.seq_of(**writer).is_none_or(|held| held < *seq));
        let longer: Vec<u32> = longer.map(|(writer, _)| *writer).collect();
        let unknown = longer.iter().filter(|writer| self.tail.tip(**writer).is_none());
        Ok(Frontier {
            unknown: unknown.copied().collect(),
            longer,
            forked: frontier.forked.iter().map(|(writer, _)| *writer).collect(),
            snapshot_ops: frontier.snapshot_ops,
            next: frontier.next,
        })
    }

    /// A `GetManyRequest` for the heads of the first 64 of these writers, which ascend.
    #[wasm_bindgen(js_name = headsRequest)]
    pub fn heads_request(&self, writers: &[u32]) -> Vec<u8> {
        self.many_request(&head_keys(writers))
    }

    /// Takes the heads in a `GetManyResponse`.
    ///
    /// # Errors
    /// The answer does not follow from its pages, or belongs to another root.
    #[wasm_bindgen(js_name = takeHeads)]
    pub fn take_heads(&mut self, writers: &[u32], response: Vec<u8>) -> Result<(), JsError> {
        let answer = self.many(&head_keys(writers), response)?;
        Ok(self.tail.add_heads(&answer)?)
    }

    /// A `LogEntriesRequest` for the ops of these writers that the state does not have.
    #[wasm_bindgen(js_name = opsRequest)]
    pub fn ops_request(&mut self, writers: &[u32]) -> Vec<u8> {
        self.stream = OpStream::default();
        // A writer without a head is admitted by one of the ops.
        let seq = |writer: u32| self.seq_of(writer).unwrap_or(0);
        let logs = writers.iter().take(MAX_FRONTIER).map(|writer| (*writer, seq(*writer)));
        let logs = messages::logs_out(&logs.collect::<Vec<_>>());
        v1::LogEntriesRequest { space: self.space(), logs }.encode_to_vec()
    }

    /// Checks and takes the ops in a `LogEntriesResponse`. Returns the number of new ones.
    ///
    /// # Errors
    /// They do not continue logs, or nobody has signed them.
    #[wasm_bindgen(js_name = takeOps)]
    pub fn take_ops(&mut self, response: Vec<u8>) -> Result<usize, JsError> {
        let message = self.stream.take(decode::<v1::LogEntriesResponse>(response.into())?)?;
        let taken = self.tail.take(&message.submission)?;
        self.compare_again();
        Ok(taken)
    }

    /// Checks and takes the ops in a `SubmitRequest` of this client.
    ///
    /// # Errors
    /// They do not continue the log, or are signed with another key.
    #[wasm_bindgen(js_name = takeOwn)]
    pub fn take_own(&mut self, request: Vec<u8>) -> Result<usize, JsError> {
        let request = decode::<v1::SubmitRequest>(request.into())?;
        let taken = self.tail.take(&messages::submission_in(request.submission)?)?;
        self.compare_again();
        Ok(taken)
    }

    /// A `GetManyRequest` for the proved entries of shared keys that the ops write: a writer whose clock is
    /// late may have written an older entry. `undefined` if none are left.
    #[wasm_bindgen(js_name = compareRequest)]
    pub fn compare_request(&self) -> Option<Vec<u8>> {
        let keys = self.to_compare();
        (!keys.is_empty()).then(|| self.many_request(&keys))
    }

    /// Takes the entries in a `GetManyResponse`.
    ///
    /// # Errors
    /// The answer does not follow from its pages, or belongs to another root.
    #[wasm_bindgen(js_name = takeCompared)]
    pub fn take_compared(&mut self, response: Vec<u8>) -> Result<(), JsError> {
        let answer = self.many(&self.to_compare(), response)?;
        self.compared(answer);
        Ok(())
    }

    /// The number of ops of a writer; `undefined` if their head is not known.
    #[wasm_bindgen(js_name = seqOf)]
    pub fn seq_of(&self, writer: u32) -> Option<u64> {
        self.tail.tip(writer).and_then(|tip| tip.seq(writer).ok())
    }

    /// The writer whose public key has these 128 hexadecimal digits; `undefined` if no writer has this key.
    #[wasm_bindgen(js_name = writerOf)]
    pub fn writer_of(&self, public_key: &str) -> Option<u32> {
        let mut tips = self.tail.tips();
        tips.find(|(_, tip)| digits(&tip.head.public_key) == public_key).map(|(writer, _)| writer)
    }

    /// The public key of a writer in 128 hexadecimal digits; `undefined` if their head is not known.
    #[wasm_bindgen(js_name = publicKeyOf)]
    pub fn public_key_of(&self, writer: u32) -> Option<String> {
        self.tail.tip(writer).map(|tip| digits(&tip.head.public_key))
    }
}

impl State {
    /// Takes proved entries of shared keys that the ops write.
    pub(crate) fn compared(&mut self, answer: ManyAnswer) {
        self.proved.extend(answer.entries);
        self.compare_again();
    }

    fn compare_again(&mut self) {
        self.tail.compare(&self.proved);
    }
}
