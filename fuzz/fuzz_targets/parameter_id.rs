//! The libFuzzer main of the target `parameter_id`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("parameter_id", bytes));
