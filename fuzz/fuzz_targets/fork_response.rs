//! The libFuzzer main of the target `fork_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("fork_response", bytes));
