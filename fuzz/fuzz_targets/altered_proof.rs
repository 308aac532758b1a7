//! The libFuzzer main of the target `altered_proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("altered_proof", bytes));
