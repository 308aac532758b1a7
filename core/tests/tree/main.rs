//! Tests of the prolly tree: against a model, with hostile bytes, and in edge cases.

#![allow(clippy::unwrap_used)] // Tests: a panic is the report.

mod codec;
mod hints;
mod model;
mod splits;
mod support;
mod walk;
