//! Several hashes at a time.
//!
//! Bounds with AVX2 (`R = 2^261`, more than 169 q): an input is below 32 q, a result of reduction
//! below 9 q, and that of an affine form below 3 q. The largest is the square of an input plus a
//! constant, `33^2 / 169 + 2.001`. A sum of two is below 33 q, with limbs below `2^30`; nothing is
//! added to it.
//!
//! A column of an affine form collects, for each of 9 rows, 2 N products and one of a reduction. With
//! 3 inputs these are 63 products below `2^58`, less than `2^64`.

use std::sync::OnceLock;

use super::{hash::hash, permutation::run, reference::parameters, schedule::Schedule};
use crate::{
    packed::{PackedField, Task, Words},
    F,
};

/// The most inputs of a packed hash.
pub(super) const MAX_INPUTS: usize = 3;

/// Schedules by number of inputs.
pub(super) type Schedules<C> = [OnceLock<Schedule<C>>; MAX_INPUTS + 1];

/// [`hash`](super::hash()) of each element of a list, `WIDTH` at a time.
pub(super) fn hash_packed<P: PackedField<WIDTH, Field = F>, const WIDTH: usize, const N: usize>(
    field: P,
    schedules: &Schedules<P::Constant>,
    capacity: F,
    inputs: &[[F; N]],
) -> Vec<F> {
    // The last matrix converts the result to arkworks' Montgomery form.
    let ratio = P::from_words(*F::from(1u64).words());
    let schedule = schedules[N]
        .get_or_init(|| Schedule::new(parameters(N)).scale(ratio).convert::<P, WIDTH>());
    let mut hashes = Vec::with_capacity(inputs.len());
    for group in inputs.chunks(WIDTH) {
        // A packed permutation takes as long as two others.
        if group.len() <= WIDTH / 2 {
            hashes.extend(group.iter().map(|inputs| hash(capacity, *inputs)));
            continue;
        }
        let inputs = std::array::from_fn(|i| group.get(i).unwrap_or(&group[0]));
        let packed = Hash { field, schedule, capacity, inputs };
        hashes.extend_from_slice(&field.run(packed)[..group.len()]);
    }
    hashes
}

/// `WIDTH` hashes.
struct Hash<'a, P: PackedField<WIDTH>, const WIDTH: usize, const N: usize> {
    field: P,
    schedule: &'a Schedule<P::Constant>,
    capacity: F,
    inputs: [&'a [F; N]; WIDTH],
}

impl<P: PackedField<WIDTH, Field = F>, const WIDTH: usize, const N: usize> Task
    for Hash<'_, P, WIDTH, N>
{
    type Output = [F; WIDTH];

    #[inline(always)]
    fn run(self) -> [F; WIDTH] {
        let Self { field, schedule, capacity, inputs } = self;
        let first = field.load_fields([&capacity; WIDTH]);
        let mut rest = [field.zero(); N];
        for (at, cell) in rest.iter_mut().enumerate() {
            *cell = field.load_fields(inputs.map(|inputs| &inputs[at]));
        }
        let hash = run(field, schedule, first, rest).next_cell();
        field.store(&hash).map(F::reduced)
    }
}
