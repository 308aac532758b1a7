//! A space: what an invite names, and the check of its snapshots.

use prost::Message;
use rootfold_core::field;
use rootfold_light::{
    invite::{AddressedInvite, Invite},
    messages, response,
    snapshot::SnapshotHeader,
    verify,
};
use rootfold_proto::{decode, v1};
use rootfold_verifier::PreparedVerifyingKey;
use wasm_bindgen::prelude::{wasm_bindgen, JsError};

use crate::state::State;

/// A space that an invite names.
#[wasm_bindgen]
pub struct Space {
    invite: AddressedInvite,
    key: Option<PreparedVerifyingKey>,
}

#[wasm_bindgen]
impl Space {
    /// The space of an invite, with or without addresses.
    ///
    /// # Errors
    /// Not an invite.
    #[wasm_bindgen(constructor)]
    pub fn new(invite: &str) -> Result<Space, JsError> {
        Ok(Space { invite: invite.trim().parse()?, key: None })
    }

    /// The space's id, in 64 hexadecimal digits.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> String {
        field::to_hex(&self.named().space)
    }

    /// The id of the parameters, in 64 hexadecimal digits.
    #[wasm_bindgen(getter)]
    pub fn parameters(&self) -> String {
        self.named().parameters.to_string()
    }

    /// The addresses of the invite.
    #[wasm_bindgen(getter)]
    pub fn addresses(&self) -> Vec<String> {
        self.invite.addresses.clone()
    }

    /// A `VerifyingKeyRequest`.
    #[wasm_bindgen(js_name = keyRequest)]
    pub fn key_request(&self) -> Vec<u8> {
        v1::VerifyingKeyRequest { parameters: self.named().parameters.0.to_vec() }.encode_to_vec()
    }

    /// Checks and prepares the key in a `VerifyingKeyResponse`. Takes about a second.
    ///
    /// # Errors
    /// Not a verifying key, or that of other parameters than the invite's.
    #[wasm_bindgen(js_name = takeKey)]
    pub fn take_key(&mut self, response: Vec<u8>) -> Result<(), JsError> {
        let response = decode::<v1::VerifyingKeyResponse>(response.into())?;
        let key = response::verifying_key(self.named().parameters, &response)?;
        self.key = Some(PreparedVerifyingKey::new(key)?);
        Ok(())
    }

    /// A `LatestSnapshotRequest`.
    #[wasm_bindgen(js_name = snapshotRequest)]
    pub fn snapshot_request(&self) -> Vec<u8> {
        v1::LatestSnapshotRequest { space: self.id_bytes() }.encode_to_vec()
    }

    /// Verifies the snapshot in a `LatestSnapshotResponse`. Returns its state, without the ops after it.
    ///
    /// # Errors
    /// The snapshot is of another space or other parameters, or its proof is not valid.
    #[wasm_bindgen(js_name = takeSnapshot)]
    pub fn take_snapshot(&self, response: Vec<u8>) -> Result<State, JsError> {
        let response = decode::<v1::LatestSnapshotResponse>(response.into())?;
        let snapshot = response::latest_snapshot(response)?;
        verify::verify(&snapshot, self.named(), self.key.as_ref())?;
        Ok(State::new(snapshot.header))
    }

    /// The state of a snapshot that this client has verified before, and kept where nobody else writes. Its
    /// proof is not checked. Without a snapshot, genesis.
    ///
    /// # Errors
    /// The snapshot is of another space or other parameters.
    #[wasm_bindgen(js_name = resumeSnapshot)]
    pub fn resume_snapshot(&self, response: Option<Vec<u8>>) -> Result<State, JsError> {
        let Some(response) = response else { return Ok(self.genesis()) };
        let response = decode::<v1::LatestSnapshotResponse>(response.into())?;
        let header = response::latest_snapshot(response)?.header;
        let Invite { space, parameters } = *self.named();
        if header.space != space || header.parameters != parameters {
            return Err(JsError::new("the snapshot is of another space or other parameters"));
        }
        Ok(State::new(header))
    }

    /// The state before the first op, which needs no proof: the invite names its root.
    pub fn genesis(&self) -> State {
        State::new(SnapshotHeader::genesis(self.named().space))
    }

    /// An `InfoRequest`.
    #[wasm_bindgen(js_name = infoRequest)]
    pub fn info_request(&self) -> Vec<u8> {
        v1::InfoRequest { space: self.id_bytes() }.encode_to_vec()
    }

    /// A `WatchRequest` for all keys of applications.
    #[wasm_bindgen(js_name = watchRequest)]
    pub fn watch_request(&self) -> Vec<u8> {
        v1::WatchRequest { space: self.id_bytes(), ..Default::default() }.encode_to_vec()
    }

    /// A `ForkRequest`.
    #[wasm_bindgen(js_name = forkRequest)]
    pub fn fork_request(&self, writer: u32) -> Vec<u8> {
        v1::ForkRequest { space: self.id_bytes(), writer }.encode_to_vec()
    }

    /// Checks the evidence in a `ForkResponse`. Returns the number of ops before the fork.
    ///
    /// # Errors
    /// It is no evidence against this writer.
    #[wasm_bindgen(js_name = takeFork)]
    pub fn take_fork(&self, writer: u32, response: Vec<u8>) -> Result<u64, JsError> {
        let response = decode::<v1::ForkResponse>(response.into())?;
        Ok(response::fork(writer, &response)?.shared())
    }
}

impl Space {
    pub(crate) fn named(&self) -> &Invite {
        &self.invite.invite
    }

    fn id_bytes(&self) -> Vec<u8> {
        messages::bytes(&self.named().space)
    }
}
