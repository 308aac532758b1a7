//! The libFuzzer main of the target `find_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("find_request", bytes));
