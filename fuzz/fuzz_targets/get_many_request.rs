//! The libFuzzer main of the target `get_many_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("get_many_request", bytes));
