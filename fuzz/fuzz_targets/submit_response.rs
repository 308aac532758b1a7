//! The libFuzzer main of the target `submit_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("submit_response", bytes));
