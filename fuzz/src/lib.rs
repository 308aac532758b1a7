//! Randomised attackers on every decoder that takes bytes from a peer.
//!
//! A [`Target`] is one decoder and the properties that it must have for any input: no panic, no
//! more memory than its bound, one encoding of every decoded value, no false statement accepted.
//! Two runners share the targets. `tests/` runs them on the committed seeds, on random bytes and on
//! altered seeds, with the stable toolchain. `fuzz_targets/` are the binaries for libFuzzer
//! (`make fuzz`). `docs/soundness.md`, "Randomised attackers", lists the properties of each target.
//!
//! `cargo run --release -p rootfold-fuzz --example seeds` writes the seeds in `corpus/`.

pub mod altered_proof;
pub mod eddsa;
pub mod honest;
pub mod log;
pub mod memory;
pub mod page;
pub mod proof;
pub mod published;
pub mod record;
pub mod request;
pub mod response;
pub mod seeds;
pub mod snapshot;
pub mod space;
pub mod verifying_key;
pub mod writer;

mod message;

use memory::Memory;

/// The result of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The decoder refused the input with an error.
    Refused,
    /// The decoder accepted the input, and all properties of the target hold.
    Accepted,
}

impl Verdict {
    /// [`Verdict::Accepted`] if `accepted` is true, otherwise [`Verdict::Refused`].
    pub fn of(accepted: bool) -> Verdict {
        if accepted {
            Verdict::Accepted
        } else {
            Verdict::Refused
        }
    }
}

/// A decoder under test, with its memory bound.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name, which the folder of its seeds and its libFuzzer binary share.
    pub name: &'static str,
    /// The memory bound.
    pub memory: Memory,
    /// Whether one input can take tens of milliseconds.
    pub slow: bool,
    /// Decodes the input, and panics if a property of the target does not hold.
    pub body: fn(&[u8]) -> Verdict,
}

const fn target(name: &'static str, memory: Memory, body: fn(&[u8]) -> Verdict) -> Target {
    Target { name, memory, slow: false, body }
}

const fn slow(name: &'static str, memory: Memory, body: fn(&[u8]) -> Verdict) -> Target {
    Target { slow: true, ..target(name, memory, body) }
}

/// The bound for text and for records of a fixed length.
const SMALL: Memory = Memory { fixed: 4 << 10, per_byte: 8, growth: usize::MAX };
/// The bound for curve points. A scalar multiplication takes a fixed amount for its digits and its
/// table.
const POINT: Memory = Memory { fixed: 16 << 10, ..SMALL };
/// The bound for pages and genesis configs.
const MIDDLE: Memory = Memory { fixed: 64 << 10, per_byte: 32, growth: usize::MAX };
/// The bound for messages, including their processing by a space. A decoded element takes more
/// memory than its encoding.
const MESSAGE: Memory = Memory { fixed: 256 << 10, per_byte: 128, growth: 16 << 20 };
/// The bound for inputs with a proof. Verification runs multi-scalar multiplications.
const PROOF: Memory = Memory { fixed: 4 << 20, ..MESSAGE };

/// All targets, in the order of `docs/soundness.md`.
pub const TARGETS: [Target; 51] = [
    target("key", SMALL, log::key),
    target("public_key", POINT, eddsa::public_key),
    target("signature", POINT, eddsa::signature),
    target("op", SMALL, log::op),
    target("head", SMALL, log::head),
    target("replacement", SMALL, log::replacement),
    target("log_batch", MESSAGE, log::batch),
    target("page", MIDDLE, page::target),
    target("genesis", MIDDLE, space::genesis),
    target("invite", SMALL, space::invite),
    target("parameter_id", SMALL, verifying_key::parameter_id),
    target("verifying_key", SMALL, verifying_key::target),
    slow("proof", PROOF, proof::target),
    slow("altered_proof", PROOF, altered_proof::target),
    target("snapshot_header", SMALL, snapshot::header),
    slow("snapshot_file", PROOF, snapshot::file),
    target("fork_file", MESSAGE, response::fork_file),
    target("stored_op", SMALL, record::op),
    target("stored_tip", SMALL, record::tip),
    target("stored_op_key", SMALL, record::op_key),
    target("genesis_request", MESSAGE, request::genesis),
    target("verifying_key_request", MESSAGE, request::verifying_key),
    target("latest_snapshot_request", MESSAGE, request::latest_snapshot),
    target("pages_request", MESSAGE, request::pages),
    target("values_request", MESSAGE, request::values),
    target("frontier_request", MESSAGE, request::frontier),
    target("fork_request", MESSAGE, request::fork),
    target("log_entries_request", MESSAGE, request::log_entries),
    target("submit_request", MESSAGE, request::submit),
    slow("check_request", PROOF, request::check),
    target("get_request", MESSAGE, request::get),
    target("get_many_request", MESSAGE, request::get_many),
    target("range_request", MESSAGE, request::range),
    target("find_request", MESSAGE, request::find),
    target("genesis_response", MESSAGE, response::genesis),
    target("verifying_key_response", MESSAGE, response::verifying_key),
    slow("latest_snapshot_response", PROOF, response::latest_snapshot),
    target("pages_response", MESSAGE, response::pages),
    target("values_response", MESSAGE, response::values),
    target("frontier_response", MESSAGE, response::frontier),
    target("fork_response", MESSAGE, response::fork),
    target("log_entries_response", MESSAGE, response::log_entries),
    target("submit_response", MESSAGE, response::submit),
    target("check_response", MESSAGE, response::check),
    target("get_response", MESSAGE, response::get),
    target("get_many_response", MESSAGE, response::get_many),
    target("range_response", MESSAGE, response::range),
    target("find_response", MESSAGE, response::find),
    target("published", MESSAGE, published::pointer),
    target("primary_keys", MESSAGE, published::primary_keys),
    slow("writer", MESSAGE, writer::target),
];

/// The target with this name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// Runs the body and measures its memory.
    ///
    /// # Panics
    /// If a property of the target does not hold, or the input takes more memory than the bound.
    pub fn attack(&self, bytes: &[u8]) -> Verdict {
        let bound = self.memory.bound(bytes.len());
        let (verdict, peak) = memory::peak(|| (self.body)(bytes));
        if peak <= bound {
            return verdict;
        }
        // The first call may have initialised static data, for example the honest space. The second
        // call measures the input alone.
        let (verdict, peak) = memory::peak(|| (self.body)(bytes));
        let Target { name, .. } = self;
        let length = bytes.len();
        assert!(peak <= bound, "{name}: {length} bytes took {peak} bytes of memory, bound {bound}");
        verdict
    }
}

/// The body of a libFuzzer binary.
///
/// # Panics
/// If there is no such target, or as [`Target::attack`].
pub fn fuzz(name: &str, bytes: &[u8]) {
    named(name).unwrap_or_else(|| panic!("unknown target {name}")).attack(bytes);
}
