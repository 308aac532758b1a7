//! The libFuzzer main of the target `snapshot_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("snapshot_file", bytes));
