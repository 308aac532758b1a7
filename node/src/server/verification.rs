//! The verification service.

use std::sync::Arc;

use rootfold_light::{invite::Invite, messages, verify::verify};
use rootfold_proto::{
    reason::Reason,
    v1::{self, verification_service_server::VerificationService as Verification},
};
use rootfold_verifier::PreparedVerifyingKey;
use tonic::{Request, Response, Status};

use super::{
    refusal::{invalid, refuse},
    work::Work,
};

/// Verifies snapshots for clients that trust this node.
pub struct VerificationService {
    key: Option<Arc<PreparedVerifyingKey>>,
    work: Work,
    enabled: bool,
}

impl VerificationService {
    /// A service with this verifying key.
    pub fn new(key: Option<Arc<PreparedVerifyingKey>>) -> VerificationService {
        VerificationService { key, work: Work::checks(), enabled: true }
    }

    /// A service that refuses all calls unless it is `enabled`.
    #[must_use]
    pub(super) fn enabled(self, enabled: bool) -> VerificationService {
        VerificationService { enabled, ..self }
    }
}

#[tonic::async_trait]
impl Verification for VerificationService {
    async fn check(
        &self,
        request: Request<v1::CheckRequest>,
    ) -> Result<Response<v1::CheckResponse>, Status> {
        if !self.enabled {
            return Err(refuse(Reason::Disabled, "this node verifies no snapshots for clients"));
        }
        let request = request.into_inner();
        let invite = Invite {
            space: messages::field("space id", &request.space).map_err(invalid)?,
            parameters: messages::parameter_id(&request.parameters).map_err(invalid)?,
        };
        let snapshot = messages::snapshot_in(request.snapshot).map_err(invalid)?;
        let key = self.key.clone();
        if key.as_ref().map(|key| key.id()) != Some(invite.parameters) {
            return Err(refuse(
                Reason::NotHeld,
                "this node does not have the verifying key of these parameters",
            ));
        }
        let response = self.work.run(move || {
            let began = std::time::Instant::now();
            let refusal = verify(&snapshot, &invite, key.as_deref()).err();
            Ok(v1::CheckResponse {
                accepted: refusal.is_none(),
                refusal: refusal.map(|e| e.to_string()).unwrap_or_default(),
                micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            })
        });
        response.await.map(Response::new)
    }
}
