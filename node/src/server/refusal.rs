//! Errors as gRPC statuses. The caller learns what is wrong with the request; failures of this node are
//! logged.

use std::collections::HashMap;

use rootfold_core::{field, F};
use rootfold_light::messages::{self, MessageError};
use rootfold_proto::reason::{Reason, DOMAIN};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    space::{IngestError, Space, SpaceError},
    store::StoreError,
};

/// A status with a reason for programs and words for people.
pub(crate) fn refuse(reason: Reason, what: impl Into<String>) -> Status {
    let details = ErrorDetails::with_error_info(reason.word(), DOMAIN, HashMap::new());
    Status::with_error_details(code(reason), what, details)
}

fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidRequest | Reason::RefusedOp => Code::InvalidArgument,
        Reason::OtherSpace | Reason::NotHeld | Reason::StateGone => Code::NotFound,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::Gap => Code::FailedPrecondition,
        Reason::OutOfRange => Code::OutOfRange,
        Reason::TooLarge | Reason::Busy | Reason::TooManyOps => Code::ResourceExhausted,
        Reason::TooLate => Code::DeadlineExceeded,
        Reason::Disabled => Code::Unimplemented,
        _ => Code::Internal,
    }
}

/// The status for a request that does not have the required form.
pub(crate) fn invalid(e: MessageError) -> Status {
    refuse(Reason::InvalidRequest, e.to_string())
}

impl From<StoreError> for Status {
    fn from(e: StoreError) -> Status {
        internal(&e)
    }
}

impl From<SpaceError> for Status {
    fn from(e: SpaceError) -> Status {
        match e {
            SpaceError::NoSnapshot { .. } => refuse(Reason::NotHeld, e.to_string()),
            SpaceError::StateGone { .. } => refuse(Reason::StateGone, e.to_string()),
            _ => internal(&e),
        }
    }
}

impl From<IngestError> for Status {
    fn from(e: IngestError) -> Status {
        match &e {
            // The missing ops may arrive later.
            IngestError::Log(rootfold_core::log::LogError::Gap { .. }) => {
                refuse(Reason::Gap, e.to_string())
            }
            _ if e.is_refusal() => refuse(Reason::RefusedOp, e.to_string()),
            _ => internal(&e),
        }
    }
}

/// The status for a failure of this node. Its reason is only in the log.
pub(super) fn internal(e: &dyn std::error::Error) -> Status {
    tracing::error!(event = "call-failed", error = %e, "call failed");
    refuse(Reason::Internal, "internal error of the node; its log has the reason")
}

/// Refuses a request for another space.
pub(super) fn check_space(space: &Space, asked: &[u8]) -> Result<(), Status> {
    let asked: F = messages::field("space id", asked).map_err(invalid)?;
    if asked == space.id() {
        return Ok(());
    }
    // The space's id is not told: who knows it may read everything.
    let asked = field::to_hex(&asked);
    Err(refuse(Reason::OtherSpace, format!("this node does not serve space {asked}")))
}
