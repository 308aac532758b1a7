//! The proof system from end to end, with a toy step circuit.
#![allow(clippy::unwrap_used)]

mod bytes;
mod common;
mod forgeries;
mod honest;
mod parameters;
mod refused;
