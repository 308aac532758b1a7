//! Errors as gRPC statuses. The caller learns what is wrong with the request; failures of this node are
//! logged.

use rootfold_core::{field, F};
use rootfold_light::messages::{self, MessageError};
use tonic::{Code, Status};

use crate::{
    space::{IngestError, Space, SpaceError},
    store::StoreError,
};

/// The status for a request that does not have the required form.
pub(super) fn invalid(e: MessageError) -> Status {
    Status::invalid_argument(e.to_string())
}

impl From<StoreError> for Status {
    fn from(e: StoreError) -> Status {
        internal(&e)
    }
}

impl From<SpaceError> for Status {
    fn from(e: SpaceError) -> Status {
        match e {
            SpaceError::NoSnapshot { .. } | SpaceError::StateGone { .. } => {
                Status::not_found(e.to_string())
            }
            _ => internal(&e),
        }
    }
}

impl From<IngestError> for Status {
    fn from(e: IngestError) -> Status {
        match &e {
            // The missing ops may arrive later.
            IngestError::Log(rootfold_core::log::LogError::Gap { .. }) => {
                Status::new(Code::FailedPrecondition, e.to_string())
            }
            _ if e.is_refusal() => Status::invalid_argument(e.to_string()),
            _ => internal(&e),
        }
    }
}

/// The status for a failure of this node. Its reason is only in the log.
pub(super) fn internal(e: &dyn std::error::Error) -> Status {
    tracing::error!(error = %e, "call failed");
    Status::internal("internal error of the node; its log has the reason")
}

/// Refuses a request for another space.
pub(super) fn check_space(space: &Space, asked: &[u8]) -> Result<(), Status> {
    let asked: F = messages::field("space id", asked).map_err(invalid)?;
    if asked == space.id() {
        return Ok(());
    }
    // The space's id is not told: who knows it may read everything.
    let asked = field::to_hex(&asked);
    Err(Status::not_found(format!("this node does not serve space {asked}")))
}
