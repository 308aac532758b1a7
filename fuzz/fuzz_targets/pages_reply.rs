//! The libFuzzer main of the target `pages_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("pages_reply", bytes));
