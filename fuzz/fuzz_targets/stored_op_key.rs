//! The libFuzzer main of the target `stored_op_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rootfold_fuzz::fuzz("stored_op_key", bytes));
