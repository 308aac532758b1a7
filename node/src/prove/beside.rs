//! Proving beside a node that serves: all the time, at a low priority.

use std::time::{Duration, Instant};

use super::{ProveError, Prover};
use crate::{
    data_dir::DataDir,
    space::{EpochLimits, Space},
};

/// The time between two looks for pending ops.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The time after a failure.
const TRY_AGAIN: Duration = Duration::from_secs(10);
/// The time that an epoch may take: a killed prover loses at most about that much work.
const EPOCH_TIME: Duration = Duration::from_secs(30);
/// The smallest and the largest limit of an epoch, in ops.
const EPOCH_OPS: (usize, usize) = (64, 4_096);

/// When a snapshot is published.
#[derive(Debug, Clone, Copy)]
pub struct Publishing {
    /// When this many ops are proved since the last snapshot.
    pub every: u64,
    /// When no op is pending, and some are proved that no snapshot covers, for this long.
    pub after: Duration,
}

/// Proves pending ops and publishes snapshots until the process ends. Errors are logged, and the work is
/// tried again. The threads that fold have a low priority, so that the node answers meanwhile.
pub fn prove_beside(prover: Prover, data_dir: &DataDir, publishing: Publishing) {
    quiet_pool(|| run(prover, data_dir, publishing));
}

/// Runs `work` with rayon's threads at a low priority, so that the node answers meanwhile.
pub(super) fn quiet_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new()
        .thread_name(|index| format!("prover-{index}"))
        .start_handler(|_| lower_priority())
        .build();
    match pool {
        Ok(pool) => pool.install(work),
        Err(e) => {
            tracing::warn!(event = "prover-priority", error = %e, "proving without threads of low priority");
            work()
        }
    }
}

fn run(mut prover: Prover, data_dir: &DataDir, publishing: Publishing) {
    let mut pace = Pace { limit: EPOCH_OPS.0 };
    // The last time that there was something to prove.
    let mut busy = Instant::now();
    loop {
        let done = prove_some(&mut prover, &mut pace, &mut busy, publishing);
        let done = match done {
            // A command beside this node has proved, or has taken over a running proof.
            Err(ProveError::Overtaken) => prover.reopen(data_dir).map(|other| prover = other),
            done => done,
        };
        if let Err(e) = done {
            tracing::error!(event = "prove-failed", error = %e, "proving failed; trying again");
            std::thread::sleep(TRY_AGAIN);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Proves one epoch, and publishes if it is time.
fn prove_some(
    prover: &mut Prover,
    pace: &mut Pace,
    busy: &mut Instant,
    publishing: Publishing,
) -> Result<(), ProveError> {
    let report = prover.prove(EpochLimits { max_ops: pace.limit }, Some(1), &())?;
    if report.ops > 0 {
        pace.note(report.ops, report.fold);
        *busy = Instant::now();
    }
    let waiting = unpublished(&prover.space, prover.proved().ops);
    let idle = busy.elapsed() >= publishing.after;
    if waiting >= publishing.every.max(1) || (waiting > 0 && idle) {
        let (snapshot, _) = prover.publish(&())?;
        tracing::info!(
            event = "snapshot-published",
            ops = snapshot.header.ops,
            "published a snapshot"
        );
    }
    Ok(())
}

/// The number of proved ops that no snapshot covers.
fn unpublished(space: &Space, proved: u64) -> u64 {
    proved.saturating_sub(space.status().snapshot.map_or(0, |header| header.ops))
}

/// The size of epochs. Large ones take fewer steps per op; small ones are sealed sooner.
struct Pace {
    limit: usize,
}

impl Pace {
    /// After an epoch of `ops` ops, folded in `spent`: at most double, so that one fast epoch does not make
    /// a slow one.
    fn note(&mut self, ops: u64, spent: Duration) {
        let rate = ops as f64 / spent.as_secs_f64().max(0.001);
        let fitting = (rate * EPOCH_TIME.as_secs_f64()) as usize;
        self.limit = fitting.min(2 * self.limit).clamp(EPOCH_OPS.0, EPOCH_OPS.1);
    }
}

/// Lowers the priority of this thread.
fn lower_priority() {
    // On Linux the priority is that of the thread, elsewhere of the process, which must not have it.
    #[cfg(target_os = "linux")]
    if let Err(e) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(error = %e, "the prover has a normal priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_grow_with_the_rate_and_stay_within_their_time() {
        let mut pace = Pace { limit: 64 };
        for _ in 0..10 {
            pace.note(64, Duration::from_secs(1));
        }
        assert_eq!(pace.limit, 64 * 30);
        pace.note(64, Duration::from_millis(1));
        assert_eq!(pace.limit, 64 * 60);
        pace.note(64, Duration::from_millis(1));
        assert_eq!(pace.limit, 4_096);
        pace.note(1, Duration::from_secs(100));
        assert_eq!(pace.limit, 64);
    }
}
