//! Benchmarks of Rootfold and of comparable systems, and the page that reports them.
//!
//! ```text
//! loads -> sections (one process each) -> report::Report -> page
//! ```
//!
//! `make bench` runs all sections and writes `docs/performance.md`. To run one section, use for
//! example `rootfold-benches measure profile small`. Figures that are compared with each other come
//! from the same run on the same machine.

pub mod loads;
pub mod machine;
pub mod measure;
pub mod page;
pub mod report;
pub mod run;
pub mod sections;
