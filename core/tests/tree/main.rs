//! The prolly tree against a model, against hostile bytes and at its edges.

#![allow(clippy::unwrap_used)] // Tests: a panic is the report.

mod codec;
mod hints;
mod model;
mod splits;
mod support;
mod walk;
