//! The libFuzzer main of the target `latest_snapshot_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("latest_snapshot_request", bytes));
