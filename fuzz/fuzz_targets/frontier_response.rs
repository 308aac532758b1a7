//! The libFuzzer main of the target `frontier_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("frontier_response", bytes));
