//! The libFuzzer main of the target `latest_snapshot_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("latest_snapshot_response", bytes));
