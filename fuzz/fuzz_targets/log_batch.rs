//! The libFuzzer main of the target `log_batch`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("log_batch", bytes));
