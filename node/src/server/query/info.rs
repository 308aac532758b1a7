//! What a node is, holds and allows.

use rootfold_core::{step::STATEMENT_VERSION, tree::PAGE_VERSION, value::MAX_VALUE};
use rootfold_light::{messages, snapshot::SNAPSHOT_VERSION};
use rootfold_proto::{
    limits::{MAX_BATCH_OPS, MAX_GROUP_OPS, MAX_KEYS, MAX_MESSAGE_BYTES, MAX_NAMES, MAX_RANGE},
    v1,
};
use rootfold_prover::{CHECKPOINT_VERSION, PARAMETERS_VERSION};
use rootfold_verifier::{PreparedVerifyingKey, PROOF_VERSION, VERIFYING_KEY_VERSION};
use tonic::Status;

use super::super::health::SERVICES;
use crate::space::{Space, STORE_VERSION};

/// The versions of all formats with one, by their names in `docs/formats.md`.
fn formats() -> Vec<v1::Format> {
    let versions = [
        ("statement", STATEMENT_VERSION),
        ("page", PAGE_VERSION.into()),
        ("proof file", PROOF_VERSION.into()),
        ("verifying key", VERIFYING_KEY_VERSION.into()),
        ("parameters file", PARAMETERS_VERSION.into()),
        ("checkpoint", CHECKPOINT_VERSION.into()),
        ("snapshot file", SNAPSHOT_VERSION.into()),
        ("store layout", STORE_VERSION),
    ];
    versions.map(|(name, version)| v1::Format { name: name.to_owned(), version }).into()
}

pub(super) fn info(
    space: &Space,
    key: Option<&PreparedVerifyingKey>,
) -> Result<v1::InfoResponse, Status> {
    let status = space.status();
    let services = SERVICES.iter().filter(|name| !name.is_empty());
    Ok(v1::InfoResponse {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        formats: formats(),
        parameters: key.map(|key| key.id().0.to_vec()).unwrap_or_default(),
        profile: key.map(|key| key.key().profile.to_string()).unwrap_or_default(),
        development: key.is_some_and(|key| key.key().development),
        root: messages::bytes(&status.root),
        ops: status.ops,
        entries: status.entries,
        writers: status.writers,
        snapshot: status.snapshot.as_ref().map(messages::header_out),
        proved_ops: status.proved.map_or(0, |proved| proved.ops),
        full_history: space.has_full_history()?,
        services: services.map(|name| (*name).to_owned()).collect(),
        limits: Some(v1::MessageLimits {
            message_bytes: MAX_MESSAGE_BYTES as u64,
            value_bytes: MAX_VALUE as u64,
            range_entries: MAX_RANGE as u32,
            keys: MAX_KEYS as u32,
            names: MAX_NAMES as u32,
            batch_ops: MAX_BATCH_OPS as u32,
            unsigned_ops: MAX_GROUP_OPS as u32,
        }),
    })
}
