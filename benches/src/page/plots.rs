//! The plots of the performance page.

use anyhow::Result;

use super::{
    chart::{grouped_bars, lines, stacked_bars, Labels, Series},
    phase_names,
};
use crate::{
    loads::Load,
    report::{ProfileFigures, RateFigures, Report, SyncFigures},
};

/// The file names and SVG contents of all plots.
pub(super) fn all(report: &Report) -> Result<Vec<(&'static str, String)>> {
    let mut plots = vec![
        ("fold.svg", fold(report)?),
        ("bootstrap-time.svg", bootstrap_time(report)?),
        ("bootstrap-bytes.svg", bootstrap_bytes(report)?),
        ("states.svg", states(report)?),
    ];
    if let Some(profile) = report.profiles.last() {
        plots.push(("rates.svg", rates(&profile.shape.name, &report.rates)?));
    }
    Ok(plots)
}

/// Two bars for each profile: the time of a whole step, and the times of its phases, stacked.
fn fold(report: &Report) -> Result<String> {
    let profiles = &report.profiles;
    let pairs = |of: &dyn Fn(&ProfileFigures) -> [f64; 2]| profiles.iter().flat_map(of).collect();
    let whole = pairs(&|profile| [0.0, profile.fold.median]);
    let planning = pairs(&|profile| [profile.planning.median, 0.0]);
    let mut all = vec![
        Series { name: "whole step".into(), of: whole },
        Series { name: "planning".into(), of: planning },
    ];
    for name in phase_names(report) {
        let of = |p: &ProfileFigures| [p.phases.get(&name).map_or(0.0, |part| part.median), 0.0];
        all.push(Series { name: name.replace('_', " "), of: pairs(&of) });
    }
    let names = |profile: &ProfileFigures| {
        let name = &profile.shape.name;
        [format!("{name}: parts"), format!("{name}: step")]
    };
    let groups: Vec<String> = profiles.iter().flat_map(names).collect();
    stacked_bars(&Labels { title: "One step", x: "seconds", y: "" }, &groups, &all)
}

fn rates(profile: &str, rates: &[RateFigures]) -> Result<String> {
    let of = |load: Load, per_writer: usize| {
        let rate = rates.iter().find(|r| {
            r.planned.profile == profile
                && r.planned.load == load
                && r.planned.per_writer == per_writer
        });
        rate.map_or(0.0, |rate| rate.rate.median)
    };
    let mut per_writer: Vec<usize> = rates.iter().map(|rate| rate.planned.per_writer).collect();
    per_writer.sort_unstable();
    per_writer.dedup();
    let series = per_writer.into_iter().map(|count| Series {
        name: format!("{count} ops per writer"),
        of: Load::ALL.iter().map(|load| of(*load, count)).collect(),
    });
    let title = format!("Proving rate, profile {profile}");
    let labels = Labels { title: &title, x: "load", y: "ops per second" };
    let groups = ["(a) git history", "(b) append", "(c) random"].map(str::to_owned);
    grouped_bars(&labels, &groups, &series.collect::<Vec<_>>())
}

/// Time in seconds and size in bytes of a bootstrap into a state of `keys` keys, including the
/// proof. `None` if no state of this size was measured.
fn bootstrap(report: &Report, keys: usize) -> Option<(f64, f64)> {
    let state = report.sync.states.iter().find(|state| state.keys == keys)?;
    let profile = report.profiles.last()?;
    let seconds = state.check.median + profile.verify.median;
    Some((seconds, state.bytes as f64 + profile.proof_bytes as f64))
}

fn history(
    report: &Report,
    labels: &Labels<'_>,
    replay: impl Fn(&SyncFigures) -> Vec<(f64, f64)>,
    of: impl Fn((f64, f64)) -> f64,
) -> Result<String> {
    let sync = &report.sync;
    let constant = bootstrap(report, sync.keys).map(of);
    let flat = sync.histories.iter().filter_map(|h| Some((h.ops as f64, constant?)));
    let all = [
        Series { name: "replay of the logs".into(), of: replay(sync) },
        Series { name: "bootstrap from the proof".into(), of: flat.collect() },
    ];
    lines(labels, &all)
}

fn bootstrap_time(report: &Report) -> Result<String> {
    let title = format!("A new replica of {} keys: time", report.sync.keys);
    let labels = Labels { title: &title, x: "ops in the history", y: "seconds" };
    let replay =
        |sync: &SyncFigures| sync.histories.iter().map(|h| (h.ops as f64, h.replay)).collect();
    history(report, &labels, replay, |(seconds, _)| seconds)
}

fn bootstrap_bytes(report: &Report) -> Result<String> {
    const MIB: f64 = 1024.0 * 1024.0;
    let title = format!("A new replica of {} keys: received", report.sync.keys);
    let labels = Labels { title: &title, x: "ops in the history", y: "MiB" };
    let replay = |sync: &SyncFigures| {
        sync.histories.iter().map(|h| (h.ops as f64, h.bytes as f64 / MIB)).collect()
    };
    history(report, &labels, replay, |(_, bytes)| bytes / MIB)
}

fn states(report: &Report) -> Result<String> {
    let keys: Vec<usize> = report.sync.states.iter().map(|state| state.keys).collect();
    let bootstrap = |keys: &usize| Some((*keys as f64, bootstrap(report, *keys)?.0));
    let all = [Series {
        name: "bootstrap from the proof".into(),
        of: keys.iter().filter_map(bootstrap).collect(),
    }];
    let labels = Labels {
        title: "A new replica: time by the size of the state",
        x: "keys in the state",
        y: "seconds",
    };
    lines(&labels, &all)
}
