//! The libFuzzer main of the target `verifying_key_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("verifying_key_response", bytes));
