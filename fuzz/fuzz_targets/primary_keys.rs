//! The libFuzzer main of the target `primary_keys`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("primary_keys", bytes));
