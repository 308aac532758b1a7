//! The tests of [`PackedField`], for every implementation.

use ark_bn254::{Fq, Fr};
use ark_ff::{AdditiveGroup, Field};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{PackedField, Portable, Task, Words};

/// Runs all tests for an implementation with `WIDTH` vector elements, which stores differences below
/// `q + q / 2^limit_bits`.
macro_rules! packed_field_tests {
    ($($name:ident: $implementation:ty, $width:literal, $limit_bits:literal;)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn formulas_agree_with_arkworks() {
                super::formulas_agree_with_arkworks::<$implementation, $width>($limit_bits);
            }

            #[test]
            fn words_are_stored_as_they_were_loaded() {
                super::words_are_stored_as_they_were_loaded::<$implementation, $width>();
            }

            #[test]
            fn words_represent_field_elements() {
                super::words_represent_field_elements::<$implementation, $width>();
            }
        })*
    };
}

packed_field_tests! {
    portable_fq: Portable<Fq>, 1, 0;
    portable_fr: Portable<Fr>, 1, 0;
}
#[cfg(target_arch = "x86_64")]
packed_field_tests! {
    avx2_fq: super::super::Avx2<Fq>, 4, 10;
    avx2_fr: super::super::Avx2<Fr>, 4, 10;
}

/// Elements at both ends of the field, and random ones.
fn elements<W: Words, const WIDTH: usize>(rng: &mut ChaCha20Rng) -> [W; WIDTH] {
    let special = [W::ZERO, W::ONE, -W::ONE, W::from(2), W::from_words([1, 0, 0, 0])];
    [(); WIDTH].map(|()| match rng.gen_range(0..8) {
        i @ 0..=4 => special[i],
        _ => W::rand(rng),
    })
}

/// Number of formulas in [`Formulas`].
const FORMULAS: usize = 11;

/// Every method, with every kind of operand that the interface permits.
struct Formulas<'a, P: PackedField<WIDTH>, const WIDTH: usize> {
    field: P,
    /// The inputs a, b, c, d.
    inputs: &'a [[P::Field; WIDTH]; 4],
    /// The words of the inputs.
    words: &'a [[[u64; 4]; WIDTH]; 4],
    constant: P::Constant,
    addend: P::Constant,
}

impl<P: PackedField<WIDTH>, const WIDTH: usize> Task for Formulas<'_, P, WIDTH> {
    type Output = [[[u64; 4]; WIDTH]; FORMULAS];

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { field, inputs, words, constant, addend } = self;
        let (a, b) = (field.load(words[0].each_ref()), field.load(words[1].each_ref()));
        let (c, d) = (field.load(words[2].each_ref()), field.load(words[3].each_ref()));
        let x = field.load_fields(inputs[0].each_ref());
        let k = field.broadcast(&constant);
        let (a_minus_b, b_minus_c) = (field.subtract(&a, &b), field.subtract(&b, &c));
        let b_plus_c = field.add(&b, &c);
        let three_b = field.add(&field.add(&b, &b), &b);
        let results = [
            field.multiply(&a, &b),
            field.multiply(&field.square(&field.add(&x, &k)), &k),
            field.multiply(&a, &b_minus_c),
            field.multiply(&three_b, &a),
            field.multiply(&b_plus_c, &b_plus_c),
            field.multiply(&field.tighten(&a_minus_b), &field.tighten(&b_plus_c)),
            field.reduce(field.products([(&a_minus_b, &b), (&c, &d)])),
            field.reduce_minus(field.products([(&a_minus_b, &c)]), &d),
            field.reduce_minus_two(field.products([(&a, &b), (&c, &d), (&b, &c)]), &d, &c),
            field.affine(&addend, (&[constant], &[a]), (&[], &[])),
            field.zero(),
        ];
        let mut stored = [[[0; 4]; WIDTH]; FORMULAS];
        for (stored, result) in stored.iter_mut().zip(&results) {
            *stored = field.store(result);
        }
        stored
    }
}

fn formulas_agree_with_arkworks<P: PackedField<WIDTH>, const WIDTH: usize>(limit_bits: u32) {
    let Some(field) = P::new() else { return };
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    for round in 0..2000 {
        let inputs = [(); 4].map(|()| elements::<P::Field, WIDTH>(rng));
        let words = inputs.map(|input| input.map(|x| P::to_words(&x)));
        let [k] = elements::<P::Field, 1>(rng);
        let (constant, addend) = (P::constant(&k), P::addend(&k));
        let results =
            field.run(Formulas { field, inputs: &inputs, words: &words, constant, addend });
        for i in 0..WIDTH {
            let [a, b, c, d] = inputs.map(|input| input[i]);
            let expected = [
                a * b,
                (a + k).square() * k,
                a * (b - c),
                (b + b + b) * a,
                (b + c).square(),
                (a - b) * (b + c),
                (a - b) * b + c * d,
                (a - b) * c - d,
                a * b + c * d + b * c - d - c,
                k + k * a,
                P::Field::ZERO,
            ];
            let actual = results.map(|words| P::from_words(words[i]));
            assert_eq!(actual, expected, "round {round}, vector element {i}");
        }
        for words in results[7..=8].iter().flatten() {
            let highest = P::Field::MODULUS_WORDS[3];
            assert!(words[3] <= highest + (highest >> limit_bits) + 1, "round {round}: too large");
        }
    }
}

struct LoadAndStore<'a, P, const WIDTH: usize> {
    field: P,
    words: &'a [[u64; 4]; WIDTH],
}

impl<P: PackedField<WIDTH>, const WIDTH: usize> Task for LoadAndStore<'_, P, WIDTH> {
    type Output = [[u64; 4]; WIDTH];

    #[inline(always)]
    fn run(self) -> Self::Output {
        self.field.store(&self.field.load(self.words.each_ref()))
    }
}

fn words_are_stored_as_they_were_loaded<P: PackedField<WIDTH>, const WIDTH: usize>() {
    let Some(field) = P::new() else { return };
    let rng = &mut ChaCha20Rng::seed_from_u64(3);
    for _ in 0..100 {
        let words = [(); WIDTH].map(|()| rng.gen::<[u64; 4]>());
        assert_eq!(field.run(LoadAndStore { field, words: &words }), words);
    }
}

fn words_represent_field_elements<P: PackedField<WIDTH>, const WIDTH: usize>() {
    let rng = &mut ChaCha20Rng::seed_from_u64(4);
    for _ in 0..100 {
        let [x] = elements::<P::Field, 1>(rng);
        assert_eq!(P::from_words(P::to_words(&x)), x);
    }
}
