//! A liar is caught, rule by rule (design 5): for every rule an honest witness is broken just there,
//! in the way an attacker would profit from, everything else is made to fit again, and the
//! constraint system must refuse it inside that rule.
//!
//! `docs/soundness.md` says what each forgery would gain. `rules.rs` holds the table.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accumulator;
mod cursor;
mod draft;
mod honest;
mod log_lane;
mod merge_lane;
mod rules;
mod seal;
mod system;
mod tree_rows;
mod under_constrained;
mod world;
