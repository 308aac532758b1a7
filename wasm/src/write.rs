//! Writing: ops are signed in the browser.

use prost::Message;
use rootfold_core::{eddsa::SecretKey, mark::Mark};
use rootfold_light::{
    messages,
    signing::{compose, Change},
};
use rootfold_proto::v1;
use wasm_bindgen::prelude::{wasm_bindgen, JsError};

use crate::{
    query::key,
    state::{digits, State},
};

/// Changes that are signed together and take effect together.
#[wasm_bindgen]
#[derive(Default)]
pub struct Changes(Vec<Change>);

/// The public key of a secret key of 32 bytes, in 128 hexadecimal digits.
///
/// # Errors
/// Not 32 bytes.
#[wasm_bindgen(js_name = publicKey)]
pub fn public_key(secret: &[u8]) -> Result<String, JsError> {
    Ok(digits(&secret_key(secret)?.public_key()))
}

fn secret_key(bytes: &[u8]) -> Result<SecretKey, JsError> {
    let bytes = bytes.try_into();
    Ok(SecretKey::from_bytes(bytes.map_err(|_| JsError::new("a secret key has 32 bytes"))?))
}

#[wasm_bindgen]
impl Changes {
    /// No changes.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Changes {
        Changes::default()
    }

    /// Writes a value, or without one a deletion. `time` is in milliseconds since 1970.
    ///
    /// # Errors
    /// The key is too long.
    pub fn write(
        &mut self,
        owner: Option<u32>,
        bytes: &[u8],
        value: Option<Vec<u8>>,
        time: f64,
    ) -> Result<(), JsError> {
        // The cast saturates.
        self.0.push(Change::new(key(owner, bytes)?, value, time as u64));
        Ok(())
    }

    /// Gives the last written entry a tag, with a place among the entries of the tag.
    ///
    /// # Errors
    /// The tag or the order is too long, or nothing was written.
    pub fn mark(&mut self, tag: &[u8], order: &[u8]) -> Result<(), JsError> {
        let mark = Mark::new(tag, order)?;
        self.last()?.marks.push(mark);
        Ok(())
    }

    /// Withdraws a tag that the entry had before. An entry is not found by tags of an earlier write in any
    /// case; this frees their place in the index.
    ///
    /// # Errors
    /// As for [`Changes::mark`].
    pub fn withdraw(&mut self, tag: &[u8], order: &[u8]) -> Result<(), JsError> {
        let mark = Mark::new(tag, order)?;
        let last = self.last()?;
        last.withdrawn.push(mark.key(&last.key));
        Ok(())
    }

    fn last(&mut self) -> Result<&mut Change, JsError> {
        self.0.last_mut().ok_or_else(|| JsError::new("no entry was written"))
    }
}

#[wasm_bindgen]
impl State {
    /// Signs changes as the next ops of a writer. Returns a `SubmitRequest`. The state does not change:
    /// see [`State::take_own`].
    ///
    /// # Errors
    /// The writer's head is not known, the key is not theirs, or there are no changes.
    pub fn sign(&self, writer: u32, secret: &[u8], changes: Changes) -> Result<Vec<u8>, JsError> {
        let unknown = || JsError::new(&format!("writer {writer} is not admitted to this space"));
        let tip = self.tail.tip(writer).ok_or_else(unknown)?;
        let (submission, _) = compose(tip, writer, &secret_key(secret)?, changes.0)?;
        let submission = Some(messages::submission_out(&submission));
        Ok(v1::SubmitRequest { space: self.space(), submission }.encode_to_vec())
    }
}
