//! What Rootfold's data means: keys, signatures, op logs, the prolly tree, pages and the fold.
//!
//! This crate proves nothing and does no I/O. A gadget of `rootfold-circuits` that computes a
//! function of this crate has the function's name. `docs/circuits.md` defines the rules that doc
//! comments name (L1 to L9, M1 to M7 and others).

pub mod accumulator;
pub mod eddsa;
pub mod fence;
pub mod field;
pub mod fold;
pub mod hash;
pub mod head;
pub mod height;
pub mod item;
pub mod key;
pub mod log;
pub mod mark;
pub mod replacement;
pub mod run;
pub mod space;
pub mod stamp;
pub mod step;
pub mod tree;
pub mod value;

/// The scalar field of BN254, in which everything is hashed and proved.
pub use rootfold_arith::F;
