//! Checks of the repository's own files, run as tests (`tests/repository.rs`, `make check`).
//!
//! Every check takes a [`Repository`] and returns what it found, so that its unit tests can show
//! it samples that must fail.

pub mod circles;
pub mod events;
pub mod floors;
pub mod links;
mod markdown;
mod repository;
pub mod rules;
mod rust;
pub mod words;

pub use repository::{Finding, Repository};
