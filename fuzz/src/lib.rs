//! Randomised attackers: what every decoder that takes bytes from a peer must do with any bytes.
//!
//! A [`Target`] is one decoder and all that must hold for it: no panic, no more memory than its
//! bound, one encoding of everything that is decoded, and nothing accepted as something that it is
//! not. The bodies are shared: `tests/` runs them on the committed seeds, on random bytes and on
//! altered seeds, with the stable toolchain; `fuzz_targets/` are the mains for libFuzzer
//! (`make fuzz`). `docs/soundness.md`, "Randomised attackers", says what each one asserts.
//!
//! `cargo run --release -p rootfold-fuzz --example seeds` writes the seeds in `corpus/`.

pub mod altered_proof;
pub mod eddsa;
pub mod honest;
pub mod log;
pub mod memory;
pub mod page;
pub mod proof;
pub mod record;
pub mod reply;
pub mod request;
pub mod seeds;
pub mod snapshot;
pub mod space;
pub mod verifying_key;
pub mod writer;

mod message;

use memory::Memory;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was refused with an error.
    Refused,
    /// It was taken for what it claims to be, and rightly.
    Accepted,
}

impl Verdict {
    /// [`Verdict::Accepted`] if `accepted`.
    pub fn of(accepted: bool) -> Verdict {
        if accepted {
            Verdict::Accepted
        } else {
            Verdict::Refused
        }
    }
}

/// A decoder under attack.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the body, of the folder of its seeds and of its libFuzzer main.
    pub name: &'static str,
    /// The memory that it may take.
    pub memory: Memory,
    /// Whether one input may take tens of milliseconds.
    pub slow: bool,
    /// Decodes, checks what follows from that, and panics if something holds that must not.
    pub body: fn(&[u8]) -> Verdict,
}

const fn target(name: &'static str, memory: Memory, body: fn(&[u8]) -> Verdict) -> Target {
    Target { name, memory, slow: false, body }
}

const fn slow(name: &'static str, memory: Memory, body: fn(&[u8]) -> Verdict) -> Target {
    Target { slow: true, ..target(name, memory, body) }
}

/// Text and records of a fixed length.
const SMALL: Memory = Memory { fixed: 4 << 10, per_byte: 8, growth: usize::MAX };
/// Points, which are multiplied by scalars: their digits and a few multiples, whatever the input.
const POINT: Memory = Memory { fixed: 16 << 10, ..SMALL };
/// Pages, configs and ops.
const MIDDLE: Memory = Memory { fixed: 64 << 10, per_byte: 32, growth: usize::MAX };
/// Messages, whose elements take more memory than bytes, and what a space does with them.
const MESSAGE: Memory = Memory { fixed: 256 << 10, per_byte: 128, growth: 16 << 20 };
/// What may come to a proof, which is checked with multi-scalar multiplications.
const PROOF: Memory = Memory { fixed: 4 << 20, ..MESSAGE };

/// All targets, in the order of `docs/soundness.md`.
pub const TARGETS: [Target; 41] = [
    target("key", SMALL, log::key),
    target("public_key", POINT, eddsa::public_key),
    target("signature", POINT, eddsa::signature),
    target("op", SMALL, log::op),
    target("head", SMALL, log::head),
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
    target("stored_op", SMALL, record::op),
    target("stored_tip", SMALL, record::tip),
    target("stored_op_key", SMALL, record::op_key),
    target("genesis_request", MESSAGE, request::genesis),
    target("verifying_key_request", MESSAGE, request::verifying_key),
    target("latest_snapshot_request", MESSAGE, request::latest_snapshot),
    target("pages_request", MESSAGE, request::pages),
    target("values_request", MESSAGE, request::values),
    target("frontier_request", MESSAGE, request::frontier),
    target("log_entries_request", MESSAGE, request::log_entries),
    target("submit_request", MESSAGE, request::submit),
    slow("check_request", PROOF, request::check),
    target("get_request", MESSAGE, request::get),
    target("range_request", MESSAGE, request::range),
    target("genesis_reply", MESSAGE, reply::genesis),
    target("verifying_key_reply", MESSAGE, reply::verifying_key),
    slow("latest_snapshot_reply", PROOF, reply::latest_snapshot),
    target("pages_reply", MESSAGE, reply::pages),
    target("values_reply", MESSAGE, reply::values),
    target("frontier_reply", MESSAGE, reply::frontier),
    target("log_entries_reply", MESSAGE, reply::log_entries),
    target("submit_reply", MESSAGE, reply::submit),
    target("check_reply", MESSAGE, reply::check),
    target("get_reply", MESSAGE, reply::get),
    target("range_reply", MESSAGE, reply::range),
    slow("writer", MESSAGE, writer::target),
];

/// The target of this name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// Runs the body and measures its memory.
    ///
    /// # Panics
    /// If the decoder does anything that it must not.
    pub fn attack(&self, bytes: &[u8]) -> Verdict {
        let bound = self.memory.bound(bytes.len());
        let (verdict, peak) = memory::peak(|| (self.body)(bytes));
        if peak <= bound {
            return verdict;
        }
        // What a first call makes for all later ones, the honest space for instance, is not the
        // input's doing.
        let (verdict, peak) = memory::peak(|| (self.body)(bytes));
        let Target { name, .. } = self;
        let length = bytes.len();
        assert!(peak <= bound, "{name}: {peak} bytes of memory for {length}, more than {bound}");
        verdict
    }
}

/// The main of a libFuzzer target.
///
/// # Panics
/// If there is no such target, or it does anything that it must not.
pub fn fuzz(name: &str, bytes: &[u8]) {
    named(name).unwrap_or_else(|| panic!("there is no target {name}")).attack(bytes);
}
