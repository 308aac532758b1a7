//! The rows of a step's R1CS for folding: each distinct row is stored and evaluated once.
//!
//! Many rows are equal, since an S-box of Poseidon uses one long sum three times: as both factors
//! of one row and as a factor of another. The value of a row is linear in the assignment, so the
//! values at a folded assignment follow from those of its parts. A step therefore evaluates the
//! matrices once, at its own witness, for its check and for the cross term of the fold after it.

use std::collections::HashMap;

use ark_ff::{AdditiveGroup, Field};
use ark_relations::utils::matrix::Matrix;
use rayon::prelude::*;
use rootfold_verifier::F;

/// The matrices `A`, `B` and `C`.
#[derive(Debug)]
pub struct Rows {
    /// Start of the terms of each distinct row, and the end of the last.
    starts: Vec<usize>,
    /// Terms of all distinct rows: column, index of the coefficient.
    terms: Vec<(u32, u32)>,
    /// The distinct coefficients; the first one is 1.
    coefficients: Vec<F>,
    /// For each row of each matrix, the index of the distinct row.
    matrices: [Vec<u32>; 3],
}

/// The values of all distinct rows at one assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Products(Vec<F>);

impl Products {
    /// The values at `z + factor * z'`, from those at `z` and `z'`.
    pub fn fold(&self, other: &Products, factor: F) -> Products {
        Products(self.0.par_iter().zip(&other.0).map(|(a, b)| factor * b + a).collect())
    }
}

impl Rows {
    /// The rows of `[A, B, C]`, whose columns are `(1, x, w)`.
    pub fn new(matrices: &[Matrix<F>]) -> Self {
        let mut builder = Builder::default();
        builder.coefficient(F::ONE);
        let matrices = [0, 1, 2].map(|m| matrices[m].iter().map(|row| builder.row(row)).collect());
        let mut starts = builder.starts;
        starts.push(builder.terms.len());
        Self { starts, terms: builder.terms, coefficients: builder.coefficients, matrices }
    }

    /// The values of all rows at `(u, x, w)`.
    ///
    /// # Panics
    /// If `x` and `w` have fewer elements than the matrices have columns.
    pub fn products(&self, u: F, x: &[F], w: &[F]) -> Products {
        let assignment = [&[u], x, w].concat();
        let value = |row: &[usize]| self.value(&self.terms[row[0]..row[1]], &assignment);
        Products(self.starts.par_windows(2).with_min_len(256).map(value).collect())
    }

    fn value(&self, terms: &[(u32, u32)], assignment: &[F]) -> F {
        let factors = |(column, coefficient): (u32, u32)| {
            (assignment[column as usize], self.coefficients[coefficient as usize])
        };
        let chunks = terms.chunks_exact(4);
        let rest = chunks.remainder().iter().fold(F::ZERO, |sum, term| {
            let (value, coefficient) = factors(*term);
            sum + if term.1 == 0 { value } else { value * coefficient }
        });
        chunks.fold(rest, |sum, chunk| {
            let pairs = [0, 1, 2, 3].map(|i| factors(chunk[i]));
            sum + F::sum_of_products(&pairs.map(|p| p.0), &pairs.map(|p| p.1))
        })
    }

    /// The values of the rows of one matrix: 0 for `A`, 1 for `B`, 2 for `C`.
    pub fn matrix<'a>(
        &'a self,
        matrix: usize,
        products: &'a Products,
    ) -> impl IndexedParallelIterator<Item = F> + 'a {
        self.matrices[matrix].par_iter().map(|row| products.0[*row as usize])
    }

    /// Whether `Az * Bz = Cz` holds in every row.
    pub fn is_satisfied(&self, products: &Products) -> bool {
        let ab = self.matrix(0, products).zip(self.matrix(1, products));
        ab.zip(self.matrix(2, products)).all(|((a, b), c)| a * b == c)
    }

    /// Nova's cross term of a relaxed assignment with constant `u` and a strict one:
    /// `Az * Bz' + Az' * Bz - u * Cz' - Cz`.
    pub fn cross_term(&self, u: F, running: &Products, incoming: &Products) -> Vec<F> {
        let [a, b, c] = &self.matrices;
        let minus_u = -u;
        let at = |products: &Products, row: &u32| products.0[*row as usize];
        let terms = a.par_iter().zip(b).zip(c).map(|((a, b), c)| {
            let left = [at(running, a), at(incoming, a), minus_u];
            let right = [at(incoming, b), at(running, b), at(incoming, c)];
            F::sum_of_products(&left, &right) - at(running, c)
        });
        terms.collect()
    }
}

#[derive(Default)]
struct Builder {
    starts: Vec<usize>,
    terms: Vec<(u32, u32)>,
    coefficients: Vec<F>,
    known_rows: HashMap<Vec<(u32, u32)>, u32>,
    known_coefficients: HashMap<F, u32>,
}

impl Builder {
    fn row(&mut self, row: &[(F, usize)]) -> u32 {
        let terms: Vec<(u32, u32)> =
            row.iter().map(|(value, column)| (*column as u32, self.coefficient(*value))).collect();
        if let Some(known) = self.known_rows.get(&terms) {
            return *known;
        }
        let index = self.starts.len() as u32;
        self.starts.push(self.terms.len());
        self.terms.extend(&terms);
        self.known_rows.insert(terms, index);
        index
    }

    fn coefficient(&mut self, value: F) -> u32 {
        let coefficients = &mut self.coefficients;
        *self.known_coefficients.entry(value).or_insert_with(|| {
            coefficients.push(value);
            coefficients.len() as u32 - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;
    use sonobe_primitives::arithmetizations::r1cs::R1CS;

    const ROWS: usize = 40;
    const WITNESSES: usize = 11;

    /// Random rows over `(1, x, w)`, of which about half are equal.
    fn random_matrices(rng: &mut ChaCha20Rng) -> [Matrix<F>; 3] {
        let row = |rng: &mut ChaCha20Rng| -> Vec<(F, usize)> {
            let terms = rng.gen_range(0..9);
            (0..terms).map(|_| (F::rand(rng), rng.gen_range(0..WITNESSES + 2))).collect()
        };
        let pool: Vec<_> = (0..ROWS).map(|_| row(rng)).collect();
        [(); 3].map(|()| (0..ROWS).map(|_| pool[rng.gen_range(0..ROWS)].clone()).collect())
    }

    fn random(rng: &mut ChaCha20Rng, len: usize) -> Vec<F> {
        (0..len).map(|_| F::rand(rng)).collect()
    }

    /// `A(z + z') * B(z + z') - (u + 1) C(z + z')` splits into the two relations and the cross
    /// term.
    #[test]
    fn the_cross_term_is_what_a_sum_has_beside_its_parts() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let matrices = random_matrices(rng);
        let rows = Rows::new(&matrices);
        assert!(rows.terms.len() < matrices.iter().flatten().map(Vec::len).sum());
        let r1cs = R1CS::new(ROWS, WITNESSES + 2, 1, matrices).expect("the sizes fit");
        let evaluate = |u: F, x: &[F], w: &[F]| {
            r1cs.evaluate_r1cs((u, x.to_vec(), w.to_vec()).into()).expect("the sizes fit")
        };
        let (u, x, w) = (F::rand(rng), random(rng, 1), random(rng, WITNESSES));
        let (x2, w2) = (random(rng, 1), random(rng, WITNESSES));
        let sum = |a: &[F], b: &[F]| a.iter().zip(b).map(|(a, b)| *a + b).collect::<Vec<F>>();

        let running = rows.products(u, &x, &w);
        let incoming = rows.products(F::ONE, &x2, &w2);
        let cross_term = rows.cross_term(u, &running, &incoming);
        let parts = sum(&sum(&evaluate(u, &x, &w), &evaluate(F::ONE, &x2, &w2)), &cross_term);
        assert_eq!(evaluate(u + F::ONE, &sum(&x, &x2), &sum(&w, &w2)), parts);

        let factor = F::rand(rng);
        let scaled = |a: &[F], b: &[F]| a.iter().zip(b).map(|(a, b)| factor * b + a).collect();
        let (x3, w3): (Vec<F>, Vec<F>) = (scaled(&x, &x2), scaled(&w, &w2));
        assert_eq!(running.fold(&incoming, factor), rows.products(u + factor, &x3, &w3));
    }

    #[test]
    fn one_broken_row_is_seen() {
        // w0 * w1 = w2 twenty times.
        let single = |column: usize| vec![vec![(F::ONE, column)]; 20];
        let mut matrices = [single(2), single(3), single(4)];
        let w = [F::from(3), F::from(5), F::from(15)];
        let satisfied = |matrices: &[Matrix<F>]| {
            let rows = Rows::new(matrices);
            rows.is_satisfied(&rows.products(F::ONE, &[F::ZERO], &w))
        };
        assert!(satisfied(&matrices));
        matrices[2][13] = vec![(F::ONE, 3)];
        assert!(!satisfied(&matrices));
    }
}
