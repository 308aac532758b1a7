//! Strangers that want to stop a node: by what they send, and by what they do not read.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../cli_support/mod.rs"]
mod cli_support;
#[path = "../common/mod.rs"]
mod common;

mod attack;
mod connections;
mod disk;
mod memory;
mod messages;
mod shutdown;
mod submit;
