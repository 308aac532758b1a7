//! The verification service.

use std::sync::Arc;

use rootfold_core::space::Invite;
use rootfold_proto::v1::{self, verification_server::Verification};
use rootfold_verifier::PreparedVerifyingKey;
use tonic::{Request, Response, Status};

use super::work::Work;
use crate::{verify::verify, wire};

/// Checks snapshots for thin clients, which trust it.
pub struct VerificationService {
    key: Option<Arc<PreparedVerifyingKey>>,
    work: Work,
}

impl VerificationService {
    /// A service that checks with this key.
    pub fn new(key: Option<Arc<PreparedVerifyingKey>>) -> VerificationService {
        VerificationService { key, work: Work::default() }
    }
}

#[tonic::async_trait]
impl Verification for VerificationService {
    async fn check(
        &self,
        request: Request<v1::CheckRequest>,
    ) -> Result<Response<v1::CheckReply>, Status> {
        let request = request.into_inner();
        let invite = Invite {
            space: wire::field("space id", &request.space)?,
            parameters: *wire::exact("parameter id", &request.parameters)?,
        };
        let snapshot = wire::snapshot_in(request.snapshot)?;
        let key = self.key.clone();
        if key.as_ref().map(|key| key.id().0) != Some(invite.parameters) {
            return Err(Status::not_found("this node does not have that verifying key"));
        }
        let reply = self.work.run(move || {
            let began = std::time::Instant::now();
            let refusal = verify(&snapshot, &invite, key.as_deref()).err();
            Ok(v1::CheckReply {
                accepted: refusal.is_none(),
                refusal: refusal.map(|e| e.to_string()).unwrap_or_default(),
                micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            })
        });
        reply.await.map(Response::new)
    }
}
