//! The libFuzzer main of the target `values_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("values_response", bytes));
