//! Workloads for the criterion benches: spaces, epochs and plans made from a fixed seed.

pub mod workload;
