//! The libFuzzer main of the target `check_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("check_request", bytes));
