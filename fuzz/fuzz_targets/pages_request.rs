//! The libFuzzer main of the target `pages_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("pages_request", bytes));
