//! The libFuzzer main of the target `range_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("range_response", bytes));
