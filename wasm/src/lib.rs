//! `rootfold-light` for JavaScript: checks snapshots, and answers under the root of a snapshot.
//!
//! A page loads the module, makes one [`Verifier`] from the invite and the verifying key, and gives
//! it the bytes that any node sent. Every function throws an `Error` with the reason if the bytes
//! are refused. `wasm/tests/verify.mjs` does all of it.
//!
//! [`Space`] is for a client that talks to nodes: it makes the messages of the requests and checks those of
//! the responses. `web/rootfold/` carries them.

mod files;
mod query;
mod space;
mod state;
mod status;
mod write;

use rootfold_core::{field, key::Key, step::STATEMENT_VERSION};
use rootfold_light::{
    answer, invite::Invite, query::RangeQuery, snapshot, values::ValueName, verify,
};
use rootfold_proto::{decode, v1};
use rootfold_verifier::{PreparedVerifyingKey, VerifyingKey};
use wasm_bindgen::prelude::{wasm_bindgen, JsError};

pub use files::{check_object, Files, Pointer};
pub use query::{Item, Part, Query};
pub use space::Space;
pub use state::{Frontier, State};
pub use status::refusal;
pub use write::{public_key, Changes};

/// The version of the statement that this module checks proofs of.
#[wasm_bindgen]
pub fn statement() -> u32 {
    STATEMENT_VERSION
}

/// Checks what nodes send about one space.
#[wasm_bindgen]
pub struct Verifier {
    invite: Invite,
    key: PreparedVerifyingKey,
}

/// A snapshot whose proof was accepted.
#[wasm_bindgen]
pub struct Snapshot(snapshot::SnapshotHeader);

/// The entries of a range, checked to be right and complete under the root of a snapshot.
#[wasm_bindgen]
pub struct Range {
    answer: answer::RangeAnswer,
    next: Option<Vec<u8>>,
}

/// One entry under an application's key.
#[wasm_bindgen(getter_with_clone)]
pub struct Entry {
    /// The application's key.
    pub key: Vec<u8>,
    /// The value; `undefined` if it was deleted, or the node did not send it with its page: it is
    /// too long, or the node left it out.
    pub value: Option<Vec<u8>>,
    /// Whether the entry is a deletion.
    pub deleted: bool,
    /// The number of the writer who wrote it.
    pub writer: u32,
    /// The writer's clock at that time.
    pub clock: u64,
}

#[wasm_bindgen]
impl Verifier {
    /// Prepares the verifying key of the invite's parameters. Takes about a second.
    ///
    /// # Errors
    /// Not an invite, not a verifying key, or the key of other parameters.
    #[wasm_bindgen(constructor)]
    pub fn new(invite: &str, verifying_key: &[u8]) -> Result<Verifier, JsError> {
        let invite: Invite = invite.trim().parse()?;
        let key = VerifyingKey::decode(verifying_key)?;
        let (expected, actual) = (invite.parameters, key.id());
        if expected != actual {
            let refusal = verify::VerifyError::OtherKey { expected, actual };
            return Err(refusal.into());
        }
        Ok(Verifier { invite, key: PreparedVerifyingKey::new(key)? })
    }

    /// Checks the bytes of a snapshot file. Takes tens of milliseconds.
    ///
    /// # Errors
    /// Not a snapshot, one of another space or other parameters, or a proof that is not valid for
    /// the snapshot's claim.
    pub fn snapshot(&self, bytes: &[u8]) -> Result<Snapshot, JsError> {
        let snapshot = snapshot::Snapshot::from_bytes(bytes)?;
        verify::verify(&snapshot, &self.invite, Some(&self.key))?;
        Ok(Snapshot(snapshot.header))
    }
}

#[wasm_bindgen]
impl Snapshot {
    /// The root of the tree, in 64 hexadecimal digits.
    #[wasm_bindgen(getter)]
    pub fn root(&self) -> String {
        field::to_hex(&self.0.root)
    }

    /// The number of ops folded since genesis.
    #[wasm_bindgen(getter)]
    pub fn ops(&self) -> u64 {
        self.0.ops
    }

    /// The number of steps that the proof covers.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> u64 {
        self.0.steps
    }

    /// Checks the answer, a `rootfold.v1.RangeResponse`, to a request for the shared keys from
    /// `from` on and before `to`. Without `from` or `to` the range has no such bound.
    ///
    /// # Errors
    /// Not a message, a key that is too long, an answer that does not follow from its pages, pages
    /// under another root than this snapshot's, or a next key that is not an application's.
    pub fn range(
        &self,
        from: Option<Vec<u8>>,
        to: Option<Vec<u8>>,
        response: Vec<u8>,
    ) -> Result<Range, JsError> {
        let from = from.map_or(Ok(Key::START), |key| Key::shared(&key))?;
        let to = to.map_or(Ok(Key::END), |key| Key::shared(&key))?;
        // The caller keeps to the limit that it has asked for.
        let query = RangeQuery::new(from..to, u32::MAX);
        let answer = answer::check_range(&query, decode::<v1::RangeResponse>(response.into())?)?;
        if answer.state.root != self.0.root {
            let (actual, expected) = (field::to_hex(&answer.state.root), self.root());
            return Err(JsError::new(&format!("answer under root {actual}, expected {expected}")));
        }
        let next = next_key(answer.next.map(|token| token.key), to)?;
        Ok(Range { answer, next })
    }
}

/// The shared key at which the next request starts; `None` only if no shared key of the range is left.
fn next_key(next: Option<Key>, to: Key) -> Result<Option<Vec<u8>>, JsError> {
    // The keys of the system precede all shared keys, and a fence follows them.
    let first = Key::shared(&[])?;
    let [_, last, _] = Key::FENCES;
    let to = to.min(last);
    let Some(next) = next.map(|next| next.max(first)).filter(|next| *next < to) else {
        return Ok(None);
    };
    // Not `None`: the range would seem to be complete.
    let refused = || JsError::new("the next key of the answer is not an application's key");
    Ok(Some(next.application_key().ok_or_else(refused)?.bytes.to_vec()))
}

#[wasm_bindgen]
impl Range {
    /// The entries under shared keys, in the order of the keys. Other entries, such as log heads, are left
    /// out.
    #[wasm_bindgen(getter)]
    pub fn entries(&self) -> Vec<Entry> {
        let application = |entry: &rootfold_core::item::Entry| {
            let name = ValueName::of_entry(entry);
            let key = entry.key.application_key().filter(|key| key.owner.is_none())?;
            Some(Entry {
                key: key.bytes.to_vec(),
                value: name.and_then(|name| self.answer.values.get(&name)).cloned(),
                deleted: name.is_none(),
                writer: entry.stamp.writer,
                clock: entry.stamp.ts,
            })
        };
        self.answer.entries.iter().filter_map(application).collect()
    }

    /// The shared key at which the next request starts; `undefined` if the range is complete.
    #[wasm_bindgen(getter)]
    pub fn next(&self) -> Option<Vec<u8>> {
        self.next.clone()
    }
}
