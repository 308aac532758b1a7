//! The phases of a step as tracing spans. The benches measure them.

/// Runs an expression inside a span with this name, under the target `rootfold_prover::step`.
macro_rules! phase {
    ($name:literal, $body:expr) => {
        tracing::debug_span!(target: "rootfold_prover::step", $name).in_scope(|| $body)
    };
}

pub(crate) use phase;
