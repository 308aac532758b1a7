//! One or more forgeries for every rule of the step circuit. A test takes an honest witness, breaks
//! one rule in a way that an attacker would profit from, and makes everything else consistent
//! again. The first violated constraint must be in the namespace of that rule.
//!
//! `docs/soundness.md` says what each forgery would gain. `rules.rs` has the list of forgeries by
//! rule.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accumulator;
mod cursor;
mod draft;
mod groups;
mod honest;
mod log_lane;
mod merge_lane;
mod replaced;
mod rules;
mod seal;
mod system;
mod tree_rows;
mod under_constrained;
mod world;
