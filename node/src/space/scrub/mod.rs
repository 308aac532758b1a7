//! Scrubbing: reading every record again and checking what it is, so that a disk that forgets is noticed
//! before the copy is needed.
//!
//! A page must have its name, a value its digest, an op must continue its log, and its signature must be
//! valid; every record has a checksum. A damaged value or page is fetched again from peers.

mod logs;
mod pass;
mod repair;
mod report;
mod state;

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{Space, SpaceError};
use crate::clock::{Clock, SystemClock};

pub use pass::Pass;
pub use report::{Finding, Report};
pub use state::ScrubState;

/// The time from the beginning of a pass to that of the next one.
const PASS_EVERY: Duration = Duration::from_secs(24 * 3600);
/// The time between two parts of a pass.
const TICK: Duration = Duration::from_secs(1);
/// The number of bytes that are read at a time by a pass without a rate.
const PART: usize = 1 << 20;

/// Reads everything once and returns what was found. Damaged values and pages are marked for the next
/// sync.
///
/// # Errors
/// [`SpaceError`] if the store cannot be read or written at all.
pub fn scrub(space: &Space) -> Result<Report, SpaceError> {
    let mut pass = Pass::begin(SystemClock.now_ms());
    while !pass.advance(space, PART)? {}
    let report = pass.report(SystemClock.now_ms());
    space.change_scrub_state(|state| state.last = Some(report.clone()))?;
    Ok(report)
}

/// Makes passes at this rate until the process ends: one a day. It goes on where a process before it has
/// stopped, and rests while it is paused. Failures are logged, and the work is tried again.
pub fn scrub_beside(space: &Space, bytes_per_second: usize) {
    loop {
        let began = Instant::now();
        if let Err(e) = tick(space, bytes_per_second) {
            tracing::warn!(event = "scrub-failed", error = %e, "scrubbing failed; trying again");
        }
        thread::sleep(TICK.saturating_sub(began.elapsed()).max(TICK / 10));
    }
}

/// Makes the next part of the current pass, or begins one if it is time.
fn tick(space: &Space, bytes: usize) -> Result<(), SpaceError> {
    let state = space.scrub_state()?;
    if state.paused {
        return Ok(());
    }
    let now = SystemClock.now_ms();
    let every = u64::try_from(PASS_EVERY.as_millis()).unwrap_or(u64::MAX);
    let rested = |last: &Report| now.saturating_sub(last.began_ms) >= every;
    let mut pass = match state.current {
        Some(pass) => pass,
        None if state.last.as_ref().is_none_or(rested) => Pass::begin(now),
        None => return Ok(()),
    };
    let done = pass.advance(space, bytes)?;
    space.change_scrub_state(|state| {
        if done {
            let report = pass.report(now);
            tracing::info!(
                event = "scrub-done",
                records = report.records,
                damaged = report.damaged,
                "scrubbed the store"
            );
            (state.last, state.current) = (Some(report), None);
        } else {
            state.current = Some(pass);
        }
    })
}
