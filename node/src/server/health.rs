//! The health service tells the truth: a node that cannot write does not say that it serves.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};
use tonic_health::{server::HealthReporter, ServingStatus};

use super::work::Work;
use crate::space::Space;

/// The time between two looks at the store.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The names of the services, as the health service knows them; the empty one is the server's.
pub const SERVICES: [&str; 6] = [
    "",
    "rootfold.v1.ReplicationService",
    "rootfold.v1.VerificationService",
    "rootfold.v1.QueryService",
    "rootfold.v1.ProvingService",
    "rootfold.v1.PeeringService",
];

/// Reports the state of all services until `stop` is set, and then that they do not serve. After a
/// failed write, makes one that has no effect until it succeeds: then the disk has space again.
pub(super) async fn report(
    reporter: HealthReporter,
    space: Space,
    work: Work,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            () = sleep(LOOK_EVERY) => {}
        }
        if space.can_write() {
            continue;
        }
        tracing::error!(
            event = "store-read-only",
            "the store takes no writes: not serving until it does"
        );
        set(&reporter, ServingStatus::NotServing).await;
        while !space.can_write() && !*stop.borrow() {
            sleep(LOOK_EVERY).await;
            let probed = space.clone();
            // A failure is in the log already.
            let _still_failing = work.run(move || Ok(probed.probe()?)).await;
        }
        if space.can_write() {
            tracing::info!(event = "store-writable", "the store takes writes again");
            set(&reporter, ServingStatus::Serving).await;
        }
    }
    set(&reporter, ServingStatus::NotServing).await;
}

/// Reports that all services serve.
pub(super) async fn begin(reporter: &HealthReporter) {
    set(reporter, ServingStatus::Serving).await;
}

async fn set(reporter: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        reporter.set_service_status(service, status).await;
    }
}
