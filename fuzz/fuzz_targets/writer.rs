//! The libFuzzer main of the target `writer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("writer", bytes));
