//! Hashes of a list.

use super::hash::hash;
#[cfg(target_arch = "x86_64")]
use super::packed::{hash_packed, Schedules, MAX_INPUTS};
#[cfg(target_arch = "x86_64")]
use crate::packed::{Avx2, PackedField};
use crate::F;

/// [`hash`] of each element of a list, several at a time where the processor has vector
/// instructions. `N` is at most 3.
pub fn hash_each<const N: usize>(capacity: F, inputs: &[[F; N]]) -> Vec<F> {
    const { assert!(N >= 1 && N <= 3, "a packed hash has at most 3 inputs") };
    #[cfg(target_arch = "x86_64")]
    if let Some(field) = Avx2::<F>::new() {
        static SCHEDULES: Schedules<<Avx2<F> as PackedField<4>>::Constant> =
            [const { std::sync::OnceLock::new() }; MAX_INPUTS + 1];
        return hash_packed(field, &SCHEDULES, capacity, inputs);
    }
    inputs.iter().map(|inputs| hash(capacity, *inputs)).collect()
}
