//! The libFuzzer main of the target `replacement`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("replacement", bytes));
