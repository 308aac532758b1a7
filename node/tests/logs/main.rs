//! Logs that no honest writer would keep: forked ones, and ones with bad clocks. And what a space
//! forgets.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod clocks;
mod forks;
mod frontier;
mod garbage;
mod reads;
mod replaced;
