//! The libFuzzer main of the target `genesis_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("genesis_response", bytes));
