//! What a client needs to trust an answer of a node that it does not trust.
//!
//! A client starts with an [`Invite`](invite::Invite), which names a space and the parameters of
//! its proofs. [`verify`](verify::verify) checks that the root of a snapshot is the fold of the
//! space's op logs. [`check_get`](answer::check_get) and [`check_range`](answer::check_range) check
//! that an answer follows from its pages, and return the root to which the pages lead. The client
//! compares the two roots; `examples/check_answer.rs` does all of it.
//!
//! The crate has no runtime, no transport and no store. It reads no clock and no file, and it
//! compiles for `wasm32-unknown-unknown`. Errors say what is wrong with the data; `rootfold-node`
//! adds which peer sent it.

pub mod answer;
mod error;
pub mod fork;
pub mod held;
pub mod invite;
pub mod messages;
pub mod published;
pub mod query;
pub mod response;
pub mod signing;
pub mod snapshot;
pub mod submission;
pub mod tail;
pub mod values;
pub mod verify;

pub use error::ResponseError;
