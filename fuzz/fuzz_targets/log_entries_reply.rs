//! The libFuzzer main of the target `log_entries_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("log_entries_reply", bytes));
