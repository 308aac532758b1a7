//! What Rootfold's data means: keys, signatures, op logs, the prolly tree, pages and the fold.
//!
//! Nothing here proves anything and nothing does I/O. Every gadget of `rootfold-circuits` is the
//! twin of a function of this crate and bears its name. The rules (L1-L8, M1-M7, ...) are those of
//! `docs/design.md`, sections 3 to 5.

pub mod accumulator;
pub mod eddsa;
pub mod field;
pub mod fold;
pub mod hash;
pub mod head;
pub mod height;
pub mod item;
pub mod key;
pub mod log;
pub mod run;
pub mod space;
pub mod stamp;
pub mod step;
pub mod tree;
pub mod value;

/// The scalar field of BN254, in which everything is hashed and proved.
pub use rootfold_arith::F;
