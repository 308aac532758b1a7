//! The libFuzzer main of the target `check_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("check_response", bytes));
