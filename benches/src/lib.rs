//! The side-by-side report: loads, what is measured on them, and the page that shows it.
//!
//! ```text
//! loads -> sections (each in a process of its own) -> report::Report -> page
//! ```
//!
//! `make bench` runs everything and writes `docs/performance.md`; one section alone is
//! `rootfold-benches measure fold small`. Every figure is taken in the same run on the same machine
//! as those it is compared with.

pub mod loads;
pub mod machine;
pub mod measure;
pub mod page;
pub mod report;
pub mod run;
pub mod sections;
