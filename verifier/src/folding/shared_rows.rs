//! The error vector of a relaxed R1CS in which many rows are almost multiples of earlier rows.
//!
//! In the CycleFold circuit, which processes a scalar bit by bit, each linear form is a small
//! multiple of an earlier one plus a few terms. Evaluating its 70,000 coefficients one by one takes
//! a tenth of a verification; evaluating each row from an earlier one takes a tenth of that.

use ark_ff::AdditiveGroup;

use super::sonobe::Fq;

/// Coefficients and the indices of their variables.
type Terms = Vec<(Fq, usize)>;

/// How many rows back the search for an earlier row goes.
const REACH: usize = 24;
/// Rows with fewer terms are not searched for, and the search stops at a row that leaves fewer.
const WORTH_IT: usize = 4;

/// The rows of the three matrices, in the order `A_0, B_0, C_0, A_1, ...`
#[derive(Clone, Debug)]
pub(crate) struct SharedRows {
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    /// A factor and the earlier row that it multiplies.
    base: Option<(Fq, usize)>,
    /// Terms added to that.
    terms: Terms,
}

impl SharedRows {
    /// Writes each row as a multiple of an earlier row plus terms, where that saves terms. The
    /// linear forms stay the same.
    pub(crate) fn new(a: &[Terms], b: &[Terms], c: &[Terms]) -> Self {
        let rows = a.iter().zip(b).zip(c).flat_map(|((a, b), c)| [a, b, c]);
        let plain: Vec<Terms> = rows.map(sorted).collect();
        let small = [1u64, 2, 3, 4, 6].map(Fq::from);
        let factors: Vec<Fq> = small.into_iter().chain(small.map(|factor| -factor)).collect();
        let rows = plain.iter().enumerate().map(|(index, row)| {
            let first = index.saturating_sub(REACH);
            shortest(row, first, &plain[first..index], &factors)
        });
        Self { rows: rows.collect() }
    }

    /// `Az * Bz - u * Cz` row by row, with `u` the first element of z.
    ///
    /// # Panics
    /// If `z` has fewer elements than the matrices have columns.
    pub(crate) fn error(&self, z: &[Fq]) -> Vec<Fq> {
        let mut values: Vec<Fq> = Vec::with_capacity(self.rows.len());
        for Row { base, terms } in &self.rows {
            let base = base.map_or(Fq::ZERO, |(factor, earlier)| factor * values[earlier]);
            let terms = terms.iter().map(|(coefficient, variable)| z[*variable] * coefficient);
            values.push(base + terms.sum::<Fq>());
        }
        values.chunks_exact(3).map(|row| row[0] * row[1] - z[0] * row[2]).collect()
    }
}

/// The shortest form of `row` that was found. `earlier` are the candidates, the first of which has
/// the index `first`.
fn shortest(row: &Terms, first: usize, earlier: &[Terms], factors: &[Fq]) -> Row {
    let mut best = Row { base: None, terms: row.clone() };
    if row.len() < WORTH_IT {
        return best;
    }
    // The nearest rows fit most often. Every replica prepares a key when it starts, so the search
    // stops at the first row that leaves fewer than `WORTH_IT` terms.
    for (offset, earlier) in earlier.iter().enumerate().rev() {
        let Some(factor) = factors.iter().find(|factor| begins_with(row, **factor, earlier)) else {
            continue;
        };
        let terms = subtract(row, *factor, earlier);
        if terms.len() + 1 < best.terms.len() {
            best = Row { base: Some((*factor, first + offset)), terms };
        }
        if best.terms.len() < WORTH_IT {
            break;
        }
    }
    best
}

/// The terms ordered by variable, each variable once.
fn sorted(row: &Terms) -> Terms {
    let mut sorted = row.clone();
    sorted.sort_by_key(|(_, variable)| *variable);
    sorted.dedup_by(|next, term| {
        let same = next.1 == term.1;
        if same {
            term.0 += next.0;
        }
        same
    });
    sorted
}

/// Whether the first term of `row` is `factor` times that of `earlier`, in the same variable.
fn begins_with(row: &Terms, factor: Fq, earlier: &Terms) -> bool {
    match (row.first(), earlier.first()) {
        (Some((a, i)), Some((b, j))) => i == j && *a == factor * b,
        _ => false,
    }
}

/// `row - factor * earlier`.
fn subtract(row: &Terms, factor: Fq, earlier: &Terms) -> Terms {
    let scaled = earlier.iter().map(|(coefficient, variable)| (-factor * coefficient, *variable));
    let mut difference = sorted(&row.iter().copied().chain(scaled).collect());
    difference.retain(|(coefficient, _)| *coefficient != Fq::ZERO);
    difference
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folding::cyclefold::cyclefold_r1cs;
    use ark_ff::UniformRand;
    use ark_std::test_rng;
    use sonobe_primitives::{
        arithmetizations::{ccs::CCS, Arith},
        circuits::Assignments,
    };

    #[test]
    fn the_error_vector_is_the_same_as_sonobes() {
        let r1cs = cyclefold_r1cs().expect("synthesizes");
        let [a, b, c] = r1cs.matrices() else { panic!("an R1CS has three matrices") };
        let shared = SharedRows::new(a, b, c);
        let rng = &mut test_rng();
        for _ in 0..5 {
            let z: Vec<Fq> = (0..r1cs.config().n_variables).map(|_| Fq::rand(rng)).collect();
            let (public, private) = z[1..].split_at(r1cs.config().n_public_inputs);
            let assignments = Assignments::from((z[0], public, private));
            let theirs = r1cs.evaluate_r1cs(assignments).expect("the lengths are right");
            assert_eq!(shared.error(&z), theirs);
        }
    }

    #[test]
    fn most_terms_are_shared() {
        let r1cs = cyclefold_r1cs().expect("synthesizes");
        let [a, b, c] = r1cs.matrices() else { panic!("an R1CS has three matrices") };
        let before: usize = [a, b, c].into_iter().flatten().map(Vec::len).sum();
        let shared = SharedRows::new(a, b, c);
        let after: usize = shared.rows.iter().map(|row| row.terms.len()).sum();
        assert!(after * 4 < before, "{before} terms, {after} left");
    }

    #[test]
    fn variables_may_repeat_and_cancel() {
        let [one, two] = [1u64, 2].map(Fq::from);
        let a = vec![vec![(one, 1), (two, 0), (-one, 1)], vec![]];
        let b = vec![vec![(one, 2), (one, 2)], vec![(one, 0)]];
        let c = vec![vec![], vec![(one, 1)]];
        let z = [3u64, 5, 7].map(Fq::from);
        let expected = [Fq::from(6u64 * 14), -Fq::from(15u64)];
        assert_eq!(SharedRows::new(&a, &b, &c).error(&z), expected);
    }
}
