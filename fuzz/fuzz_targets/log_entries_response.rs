//! The libFuzzer main of the target `log_entries_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("log_entries_response", bytes));
