//! The log: text or JSON on stderr, at a level that a reload changes.

use std::{
    env,
    io::{self, IsTerminal},
    sync::OnceLock,
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::{
    filter::{EnvFilter, ParseError},
    fmt,
    layer::SubscriberExt,
    reload::{Handle, Layer},
    util::SubscriberInitExt,
    Registry,
};

/// The variable that programs of this kind share. It counts more than the level of the options.
const RUST_LOG: &str = "RUST_LOG";

/// The filter in force.
static FILTER: OnceLock<Handle<EnvFilter, Registry>> = OnceLock::new();

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// Begins to log.
///
/// # Errors
/// The level is neither a level nor a filter of tracing.
pub fn start(level: &str, format: LogFormat) -> Result<(), ParseError> {
    let (filter, handle) = Layer::new(filter(level)?);
    let _ = FILTER.set(handle);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            let lines = fmt::layer().with_writer(io::stderr).with_ansi(is_coloured());
            registry.with(lines).init();
        }
        LogFormat::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_current_span(false);
            registry.with(lines.with_span_list(false).with_writer(io::stderr)).init();
        }
    }
    Ok(())
}

/// Logs at another level from now on.
///
/// # Errors
/// As [`start`].
pub fn set_level(level: &str) -> Result<(), ParseError> {
    let filter = filter(level)?;
    if let Some(handle) = FILTER.get() {
        // It fails only when the subscriber is gone, at the end of the process.
        let _ = handle.reload(filter);
    }
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    let shared = env::var(RUST_LOG).ok().filter(|filter| !filter.is_empty());
    match shared.and_then(|filter| EnvFilter::try_new(filter).ok()) {
        Some(filter) => Ok(filter),
        None => EnvFilter::try_new(level),
    }
}

/// Whether stderr takes escape codes for colours.
fn is_coloured() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    io::stderr().is_terminal()
        && set("NO_COLOR").is_none()
        && set("TERM").is_none_or(|term| term != "dumb")
}
