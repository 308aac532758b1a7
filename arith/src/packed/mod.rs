//! Arithmetic on several elements of a 254-bit prime field at a time.
//!
//! [`PackedField`] is the interface. One file implements it for one instruction set, and the tests
//! in `tests.rs` run for every implementation:
//!
//! | implementation | elements | requires |
//! |---|---|---|
//! | `Avx2` | 4 | x86-64 with AVX2, detected at run time |
//! | [`Portable`] | 1 | nothing |
//!
//! With AVX2, four products take less than twice the time of one portable product. An
//! implementation with 32-bit multipliers (NEON, WebAssembly SIMD) can use the limbs of `limbs.rs`.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod field;
#[cfg(target_arch = "x86_64")]
mod limbs;
mod portable;
#[cfg(test)]
mod tests;
mod words;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
pub use field::{PackedField, Task};
pub use portable::Portable;
pub use words::Words;
