//! A synthesized step as rows and values that a test can overwrite.
//!
//! After an overwrite, [`Open::repair`] recomputes every value that a constraint defines, as a
//! cheating prover would. Only constraints that cannot be satisfied in this way stay violated.

use std::collections::{BTreeMap, BTreeSet};

use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use ark_r1cs_std::{alloc::AllocVar, fields::fp::FpVar, GR1CSVar};
use ark_relations::gr1cs::{
    ConstraintLayer, ConstraintSystem, ConstraintSystemRef, TracingMode, R1CS_PREDICATE_LABEL,
};
use rootfold_circuits::step::{step, StateVar};
use rootfold_core::{
    step::{Profile, Rule, State, StepWitness},
    F,
};
use tracing_subscriber::layer::SubscriberExt;

use crate::rules::ALL;

/// A linear combination of columns: coefficient, column.
type Sum = Vec<(F, usize)>;

/// A violated constraint, with the rules whose namespaces contain it, outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub index: usize,
    pub rules: Vec<Rule>,
}

/// A synthesized step.
pub struct System {
    cs: ConstraintSystemRef<F>,
    next: [FpVar<F>; 3],
}

impl System {
    pub fn new(profile: &Profile, state: &State, witness: &StepWitness) -> System {
        let layer = ConstraintLayer::new(TracingMode::OnlyConstraints);
        let subscriber = tracing_subscriber::Registry::default().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let cs = ConstraintSystem::<F>::new_ref();
            let input = |x: F| FpVar::new_input(cs.clone(), || Ok(x)).unwrap();
            let [root, ops, cursor] = state.to_fields().map(input);
            let next = step(&cs, profile, &StateVar { root, ops, cursor }, witness).unwrap();
            System { next: [next.root, next.ops, next.cursor], cs }
        })
    }

    /// The state after the step.
    pub fn next_state(&self) -> [F; 3] {
        self.next.each_ref().map(|x| x.value().unwrap())
    }

    /// All violated constraints.
    pub fn broken(&self) -> Vec<Broken> {
        let cs = self.cs.borrow().unwrap();
        let [a, b, c] =
            &cs.predicate_constraint_systems[R1CS_PREDICATE_LABEL].get_constraints()[..]
        else {
            panic!("R1CS has three matrices")
        };
        let value = |v| cs.assigned_value(v).unwrap();
        (0..a.len())
            .filter(|i| value(a[*i]) * value(b[*i]) != value(c[*i]))
            .map(|index| Broken { index, rules: self.rules(index) })
            .collect()
    }

    /// The rules whose namespaces contain a constraint, outermost first.
    fn rules(&self, constraint: usize) -> Vec<Rule> {
        let cs = self.cs.borrow().unwrap();
        let trace = cs.predicate_traces[R1CS_PREDICATE_LABEL][constraint].as_ref();
        let path = trace.map(|trace| trace.path()).unwrap_or_default();
        let rule = |name: &str| ALL.into_iter().find(|rule| format!("{rule:?}") == name);
        path.iter().filter_map(|step| rule(step.name)).collect()
    }

    /// The system as rows and values.
    pub fn open(self) -> Open {
        let rules = (0..self.cs.num_constraints()).map(|i| self.rules(i)).collect();
        self.cs.finalize();
        let mut matrices = self.cs.to_matrices().unwrap();
        let rows = matrices.remove(R1CS_PREDICATE_LABEL).unwrap();
        let mut values = self.cs.instance_assignment().unwrap();
        let inputs = values.len();
        values.extend(self.cs.witness_assignment().unwrap());
        let sum = |x: &FpVar<F>| match x {
            FpVar::Constant(c) => vec![(*c, 0)],
            FpVar::Var(x) => {
                let lc = self.cs.get_lc(x.variable).unwrap();
                self.cs.make_row(lc).unwrap()
            }
        };
        let outputs = self.next.each_ref().map(sum);
        Open::new(rows, values, inputs, rules, outputs)
    }
}

/// The rows of the constraint system and the values of its columns.
pub struct Open {
    rows: Vec<Vec<Sum>>,
    pub values: Vec<F>,
    /// Number of public columns, with the constant 1.
    pub inputs: usize,
    rules: Vec<Vec<Rule>>,
    outputs: [Sum; 3],
    /// For every column, the rows that mention it.
    mentions: Vec<Vec<usize>>,
    /// For every row, the columns that no earlier row mentions.
    defines: Vec<Vec<usize>>,
    /// Whether the first row that mentions a column has the form x * (1 - x) = 0.
    boolean: Vec<bool>,
    /// Columns that [`Open::repair`] does not change.
    pinned: BTreeSet<usize>,
    /// All changes, with the values before, for [`Open::undo`].
    changes: Vec<(usize, F)>,
}

impl Open {
    fn new(
        rows: Vec<Vec<Sum>>,
        values: Vec<F>,
        inputs: usize,
        rules: Vec<Vec<Rule>>,
        outputs: [Sum; 3],
    ) -> Open {
        let mut mentions: Vec<Vec<usize>> = vec![Vec::new(); values.len()];
        let mut defines = vec![Vec::new(); rules.len()];
        for i in 0..rules.len() {
            let columns: BTreeSet<usize> =
                rows.iter().flat_map(|m| m[i].iter().map(|(_, column)| *column)).collect();
            for column in columns {
                if mentions[column].is_empty() && column >= inputs {
                    defines[i].push(column);
                }
                mentions[column].push(i);
            }
        }
        let boolean = (0..values.len())
            .map(|v| {
                mentions[v].first().is_some_and(|i| {
                    let only = |s: &Sum| s.iter().all(|(_, c)| *c == v || *c == 0);
                    v >= inputs
                        && rows[2][*i].is_empty()
                        && only(&rows[0][*i])
                        && only(&rows[1][*i])
                })
            })
            .collect();
        let (pinned, changes) = (BTreeSet::new(), Vec::new());
        Open { rows, values, inputs, rules, outputs, mentions, defines, boolean, pinned, changes }
    }

    fn sum(&self, sum: &Sum) -> F {
        sum.iter().map(|(c, v)| *c * self.values[*v]).sum()
    }

    pub fn holds(&self, row: usize) -> bool {
        let [a, b, c] = [0, 1, 2].map(|m| self.sum(&self.rows[m][row]));
        a * b == c
    }

    pub fn next_state(&self) -> [F; 3] {
        self.outputs.each_ref().map(|sum| self.sum(sum))
    }

    pub fn broken(&self) -> Vec<Broken> {
        (0..self.rules.len())
            .filter(|row| !self.holds(*row))
            .map(|index| Broken { index, rules: self.rules[index].clone() })
            .collect()
    }

    /// The rules of the first row that mentions a column. `None` if no row does.
    pub fn home(&self, column: usize) -> Option<&[Rule]> {
        self.mentions[column].first().map(|row| &self.rules[*row][..])
    }

    pub fn is_boolean(&self, column: usize) -> bool {
        self.boolean[column]
    }

    /// The columns with this value whose [`home`](Self::home) is in the rule, in order.
    pub fn find(&self, rule: Rule, value: F) -> Vec<usize> {
        (self.inputs..self.values.len())
            .filter(|v| self.values[*v] == value)
            .filter(|v| self.home(*v).is_some_and(|home| home.contains(&rule)))
            .collect()
    }

    /// Overwrites a value and protects it from [`Open::repair`].
    pub fn set(&mut self, column: usize, value: F) {
        self.change(column, value);
        self.pinned.insert(column);
    }

    fn change(&mut self, column: usize, value: F) {
        self.changes.push((column, self.values[column]));
        self.values[column] = value;
    }

    /// Undoes all changes since the system was opened.
    pub fn undo(&mut self) {
        while let Some((column, value)) = self.changes.pop() {
            self.values[column] = value;
        }
        self.pinned.clear();
    }

    /// Recomputes the values that depend on overwritten ones, row by row. If `strict`, stops at the
    /// first row that cannot be satisfied. Returns whether all rows could be.
    pub fn repair(&mut self, strict: bool) -> bool {
        let mut todo: BTreeSet<usize> =
            self.pinned.iter().flat_map(|v| self.mentions[*v].iter().copied()).collect();
        let mut whole = true;
        while let Some(row) = todo.pop_first() {
            if self.holds(row) {
                continue;
            }
            let before = self.changes.len();
            self.meet(row);
            for at in before..self.changes.len() {
                let column = self.changes[at].0;
                self.pinned.insert(column);
                todo.extend(self.mentions[column].iter().filter(|other| **other != row));
            }
            if !self.holds(row) {
                whole = false;
                if strict {
                    return false;
                }
            }
        }
        whole
    }

    /// Whether an overwritten column cannot be repaired: a violated row defines it and no other
    /// column.
    pub fn is_lost(&self, column: usize) -> bool {
        self.mentions[column].first().is_some_and(|row| {
            let last = self.rows.iter().flat_map(|m| m[*row].iter()).all(|(_, v)| *v <= column);
            last && self.defines[*row] == [column] && !self.holds(*row)
        })
    }

    /// Tries to satisfy a row by the column that it defines, or by its bits.
    fn meet(&mut self, row: usize) {
        let free: Vec<usize> =
            self.defines[row].iter().copied().filter(|v| !self.pinned.contains(v)).collect();
        match free[..] {
            [v] if self.boolean[v] => {}
            [v] => self.solve(row, v),
            [] => self.decompose(row),
            [a, b] => self.compare(row, a, b),
            _ => {}
        }
    }

    /// Satisfies a row of arkworks' `is_neq`, `difference * multiplier = differs`, which defines
    /// `multiplier` and `differs`.
    fn compare(&mut self, row: usize, a: usize, b: usize) {
        let [difference, multiplier, differs] = [0, 1, 2].map(|m| &self.rows[m][row]);
        let is = |sum: &Sum, v: usize| sum[..] == [(F::ONE, v)];
        let (m, d) = if is(multiplier, a) && is(differs, b) { (a, b) } else { (b, a) };
        if !is(multiplier, m) || !is(differs, d) {
            return;
        }
        match self.sum(difference).inverse() {
            Some(inverse) => {
                self.change(m, inverse);
                self.change(d, F::ONE);
            }
            None => self.change(d, F::ZERO),
        }
    }

    /// Solves a row for one column, in which it is linear or quadratic.
    fn solve(&mut self, row: usize, v: usize) {
        let part = |sum: &Sum| {
            let rest: F =
                sum.iter().filter(|(_, c)| *c != v).map(|(k, c)| *k * self.values[*c]).sum();
            let factor: F = sum.iter().filter(|(_, c)| *c == v).map(|(k, _)| *k).sum();
            (factor, rest)
        };
        let [(ka, ra), (kb, rb), (kc, rc)] = [0, 1, 2].map(|m| part(&self.rows[m][row]));
        // (ka v + ra)(kb v + rb) = kc v + rc
        let (two, one, zero) = (ka * kb, ka * rb + kb * ra - kc, ra * rb - rc);
        let solution = if two == F::ZERO {
            one.inverse().map(|inverse| -zero * inverse)
        } else {
            let discriminant = one.square() - F::from(4u64) * two * zero;
            let halve = (two + two).inverse();
            discriminant.sqrt().zip(halve).map(|(root, halve)| (root - one) * halve)
        };
        if let Some(solution) = solution {
            self.change(v, solution);
        }
    }

    /// Recomputes the bits of a row `sum of k * 2^i * bit_i + rest = 0` with consecutive columns,
    /// of which the highest bit is the last column of the row. Higher bits of the number are
    /// dropped.
    fn decompose(&mut self, row: usize) {
        // sum * 1 = 0, or 0 = sum.
        let [a, b, c] = [0, 1, 2].map(|m| &self.rows[m][row]);
        let sum = if c.is_empty() && b[..] == [(F::ONE, 0)] {
            a
        } else if a.is_empty() || b.is_empty() {
            c
        } else {
            return;
        };
        let usable = |v: usize| self.boolean[v] && !self.pinned.contains(&v);
        let coefficients: BTreeMap<usize, F> = sum.iter().map(|(k, v)| (*v, *k)).collect();
        let Some((&highest, &top)) = coefficients.last_key_value() else { return };
        if !usable(highest) {
            return;
        }
        let (mut first, mut lowest) = (highest, top);
        while let Some((next, k)) =
            first.checked_sub(1).and_then(|v| coefficients.get_key_value(&v))
        {
            if !usable(*next) || k.double() != lowest {
                break;
            }
            (first, lowest) = (*next, *k);
        }
        let rest = coefficients.range(..first).map(|(v, k)| *k * self.values[*v]);
        let rest: F = rest.sum();
        let Some(inverse) = lowest.inverse() else { return };
        let number = (-rest * inverse).into_bigint();
        for (i, v) in (first..=highest).enumerate() {
            let bit = F::from(number.get_bit(i));
            if self.values[v] != bit {
                self.change(v, bit);
            }
        }
    }
}
