//! The libFuzzer main of the target `submit_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("submit_request", bytes));
