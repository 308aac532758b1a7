//! `rootfold-benches`: runs the benchmarks and writes `docs/performance.md`.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use rootfold_benches::{
    measure::phases::Phases,
    page,
    report::Report,
    run::run,
    sections::{Scale, Section},
};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt, EnvFilter, Layer};

#[derive(Debug, Parser)]
#[command(about = "Benchmarks of Rootfold and of comparable systems")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs all sections and writes the report and, with `--docs`, the page.
    Report {
        #[command(flatten)]
        scale: Scale,
        /// The file to which the report is written.
        #[arg(long, value_name = "FILE")]
        json: PathBuf,
        /// The folder whose `performance.json`, `performance.md` and `plots/` are overwritten.
        #[arg(long, value_name = "DIR")]
        docs: Option<PathBuf>,
    },
    /// Runs one section and prints its figures as JSON.
    Measure {
        #[command(flatten)]
        scale: Scale,
        /// The section to run.
        #[command(subcommand)]
        section: Section,
    },
    /// Renders the page again from the figures in `performance.json`.
    Page {
        /// The folder of `performance.json`, `performance.md` and `plots/`.
        #[arg(long, value_name = "DIR", default_value = page::DOCS)]
        docs: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let phases = Phases::default();
    let say = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("off,rootfold_benches=info"));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(say);
    tracing_subscriber::registry().with(phases.layer()).with(log).init();
    match cli.command {
        Command::Report { scale, json, docs } => {
            let report = run(&scale)?;
            let text = serde_json::to_string_pretty(&report)? + "\n";
            if let Some(folder) = json.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&json, &text).with_context(|| json.display().to_string())?;
            if let Some(docs) = docs {
                fs::create_dir_all(&docs)?;
                fs::write(docs.join(page::DATA), &text)?;
                page::render(&report)?.write(&docs)?;
            }
        }
        Command::Measure { scale, section } => {
            println!("{}", section.measure(&scale, &phases)?);
        }
        Command::Page { docs } => {
            let data = fs::read_to_string(docs.join(page::DATA))?;
            let report: Report = serde_json::from_str(&data)?;
            page::render(&report)?.write(&docs)?;
        }
    }
    Ok(())
}
