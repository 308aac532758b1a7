//! The libFuzzer main of the target `values_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("values_reply", bytes));
