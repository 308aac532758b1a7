//! The proof system with a small step circuit: honest proofs, and attacks.
#![allow(clippy::unwrap_used)]

mod book;
mod bytes;
mod challenge;
mod committed_inputs;
mod common;
mod elements;
mod forger;
mod honest;
mod keys;
mod parameters;
mod sigma;
mod statement;
mod toy_decider;
mod toy_setup;
mod values;
mod weakened;
