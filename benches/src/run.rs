//! Runs all sections one after another, each in its own process.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context;
use serde::de::DeserializeOwned;

use crate::{
    machine::{Machine, Ticks},
    measure::Spread,
    report::{
        NativeFigures, PlannedLoad, ProfileFigures, RateFigures, Report, RivalFigures, SyncFigures,
    },
    sections::{nova, profile, setup, sizes::Sizes, Scale},
};

/// Runs all sections and collects the report.
///
/// # Errors
/// If a section fails or its output cannot be parsed.
pub fn run(scale: &Scale) -> anyhow::Result<Report> {
    let clock = Instant::now();
    let mut machine = Machine::here();
    let ticks = Ticks::now();
    tracing::info!(cpu = machine.cpu, cores = machine.cores, "starting");
    // If a folder of parameters is given, their generation is not measured.
    let made = match setup::folder() {
        Some(_) => None,
        None => Some(tempfile::tempdir()?),
    };
    let folder = made.as_ref().map(|folder| folder.path().to_owned());
    let sections = Sections { scale, folder, clock };
    let native: NativeFigures = sections.answer(&["native"])?;
    let mut profiles = Vec::new();
    let mut proved = Vec::new();
    for profile in Sizes::of(scale).profiles {
        let setup = match made {
            Some(_) => Some(sections.answer(&["setup", profile.name])?),
            None => None,
        };
        let answer: profile::Answer = sections.answer(&["profile", profile.name])?;
        profiles.push(ProfileFigures { setup, ..answer.figures });
        proved.extend(answer.proved);
    }
    let rates: Vec<PlannedLoad> = sections.answer(&["rates"])?;
    let rates = rates.into_iter().map(|rate| with_rate(rate, &profiles)).collect::<Result<_, _>>();
    let sync: SyncFigures = sections.answer(&["sync"])?;
    let groth16 = sections.rivals("groth16", &profiles)?;
    let nova = match nova::COMPILED {
        true => sections.rivals("nova", &profiles)?,
        false => Vec::new(),
    };
    machine.others = others(ticks).unwrap_or(0.0);
    Ok(Report {
        quick: scale.quick,
        machine,
        seconds: clock.elapsed().as_secs_f64(),
        profiles,
        groth16,
        nova,
        rates: rates?,
        proved,
        sync,
        native,
    })
}

/// The fraction of the processors' time that other processes used after `since`, 0 to 1. Logs a
/// warning above 0.05. `None` if the system does not report the times.
fn others(since: Option<Ticks>) -> Option<f64> {
    let others = since?.others_until(Ticks::now()?);
    tracing::info!("other processes used {:.0} % of the processors' time", others * 100.0);
    if others > 0.05 {
        tracing::warn!("the figures are noisy: run on an idle machine");
    }
    Some(others)
}

/// Computes the proving rate from the plans and the median time of a fold in the profile.
fn with_rate(planned: PlannedLoad, profiles: &[ProfileFigures]) -> anyhow::Result<RateFigures> {
    let figures = profiles.iter().find(|figures| figures.shape.name == planned.profile);
    let fold = figures.context("a load has a profile that was not measured")?.fold.median;
    let of_epoch = planned
        .epochs
        .iter()
        .map(|epoch| planned.ops as f64 / (epoch.planning + fold * epoch.steps as f64));
    let rate = Spread::of(of_epoch);
    Ok(RateFigures { planned, rate })
}

struct Sections<'a> {
    scale: &'a Scale,
    /// The temporary folder of the parameters; `None` if [`setup::PARAMETERS`] is set.
    folder: Option<PathBuf>,
    clock: Instant,
}

impl Sections<'_> {
    /// Runs one section in a new process of this program, and parses its output.
    fn answer<T: DeserializeOwned>(&self, section: &[&str]) -> anyhow::Result<T> {
        let name = section.join(" ");
        tracing::info!(at = ?self.clock.elapsed(), "measuring: {name}");
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("measure").arg("--git").arg(&self.scale.git);
        if self.scale.quick {
            command.arg("--quick");
        }
        if let Some(folder) = &self.folder {
            command.env(setup::PARAMETERS, folder);
        }
        let child = command.args(section).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.wait_with_output()?;
        anyhow::ensure!(output.status.success(), "section {name} failed: {}", output.status);
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("parsing the output of section {name}"))
    }

    fn rivals(&self, who: &str, profiles: &[ProfileFigures]) -> anyhow::Result<Vec<RivalFigures>> {
        let rival = |figures: &ProfileFigures| {
            let number = |count: usize| count.to_string();
            let (name, step) = (&figures.shape.name, &figures.step);
            // Groth16 is compared with compression, which proves the folding circuit too.
            let constraints = match who {
                "groth16" => figures.constraints,
                _ => step.constraints,
            };
            let scaled = |count: usize| number(count * constraints / step.constraints.max(1));
            self.answer(&[
                who,
                "--profile",
                name,
                "--constraints",
                &number(constraints),
                "--bits",
                &scaled(step.bits),
                "--nonzeros",
                &scaled(step.nonzeros),
            ])
        };
        profiles.iter().map(rival).collect()
    }
}
