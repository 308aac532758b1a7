//! Statuses of refused calls.

use prost::Message;
use prost_types::Any;
use rootfold_proto::reason::DOMAIN;
use wasm_bindgen::prelude::wasm_bindgen;

/// `google.rpc.Status`, of which the details matter here.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
}

/// The reason of a refusal, from the bytes of the trailer `grpc-status-details-bin`; `undefined` if there is
/// none.
#[wasm_bindgen]
pub fn refusal(details: &[u8]) -> Option<String> {
    let status = Status::decode(details).ok()?;
    let infos = status.details.iter().filter(|any| any.type_url.ends_with("/google.rpc.ErrorInfo"));
    let mut infos = infos.filter_map(|any| ErrorInfo::decode(any.value.as_slice()).ok());
    infos.find(|info| info.domain == DOMAIN).map(|info| info.reason)
}
