//! The libFuzzer main of the target `public_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("public_key", bytes));
