//! The cost of every gadget and the digest of every profile's circuit, pinned in `constraints.txt`
//! and `digests.txt`. After an intended change, `ROOTFOLD_BLESS=1 cargo nextest run --release
//! --workspace --test gadgets counts` rewrites both files, and the diff shows what changed.

use std::{fmt::Write, path::Path};

use ark_r1cs_std::{alloc::AllocVar, prelude::Boolean};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisMode, R1CS_PREDICATE_LABEL};
use rootfold_circuits::{
    accumulator::{accumulate, class, Addend, PointVar},
    bits::range_bits,
    eddsa::{verify, SignatureVar},
    hash::hash,
    height::height,
    step::{merge_row, op_slot, seal, segment, tree_row, RegistersVar, StateVar},
};
use rootfold_core::{
    accumulator::{Class, Lane},
    field,
    hash::Tag,
    step::{MergeRow, OpSlot, Profile, Registers, Segment, TreeRow, SMALL},
    F,
};

use crate::{fresh, shape::setup, witness};

/// Constraints, witnesses and nonzeros that `gadget` adds to a system in setup mode.
fn cost(gadget: impl FnOnce(&ConstraintSystemRef<F>) -> Box<dyn FnOnce()>) -> [usize; 3] {
    let cs = fresh();
    cs.set_mode(SynthesisMode::Setup);
    // The allocation of its inputs is not part of the cost of the gadget.
    let run = gadget(&cs);
    let before = (cs.num_constraints(), cs.num_witness_variables());
    run();
    let nonzeros = nonzeros(&cs);
    [cs.num_constraints() - before.0, cs.num_witness_variables() - before.1, nonzeros]
}

fn nonzeros(cs: &ConstraintSystemRef<F>) -> usize {
    cs.finalize();
    cs.to_matrices().unwrap()[R1CS_PREDICATE_LABEL].iter().flatten().map(Vec::len).sum()
}

fn table() -> String {
    let mut out = String::from("gadget constraints witnesses nonzeros\n");
    let mut line = |name: String, [a, b, c]: [usize; 3]| {
        writeln!(out, "{name} {a} {b} {c}").unwrap();
    };
    for n in 1..=12usize {
        let count = cost(|cs| {
            let inputs: Vec<_> = (0..n).map(|_| witness(cs, F::from(0u64))).collect();
            Box::new(move || drop(hash(Tag::Item, &inputs).unwrap()))
        });
        line(format!("H_{n}"), count);
    }
    let count = cost(|cs| {
        let (cs, x) = (cs.clone(), witness(cs, F::from(0u64)));
        Box::new(move || drop(range_bits(&cs, &x, 248).unwrap()))
    });
    line("range_248".into(), count);
    let count = cost(|cs| {
        let (cs, x) = (cs.clone(), witness(cs, F::from(0u64)));
        Box::new(move || drop(height(&cs, &x).unwrap()))
    });
    line("height".into(), count);
    let count = cost(|cs| {
        let acc = PointVar::new_witness(cs, &rootfold_core::accumulator::start()).unwrap();
        let active = Boolean::new_witness(cs.clone(), || Ok(true)).unwrap();
        let (cs, item) = (cs.clone(), witness(cs, F::from(0u64)));
        Box::new(move || {
            let number = class(Class::User);
            let addend = Addend { active: &active, number: &number, item: &item, lane: Lane::Log };
            drop(accumulate(&cs, &acc, &addend).unwrap());
        })
    });
    line("accumulate".into(), count);
    let count = cost(|cs| {
        let signature = Segment::unused(&SMALL).signature;
        let signature = SignatureVar::new_witness(cs, &signature).unwrap();
        let condition = Boolean::new_witness(cs.clone(), || Ok(true)).unwrap();
        let [x, y, message] = [(); 3].map(|()| witness(cs, F::from(0u64)));
        let cs = cs.clone();
        Box::new(move || verify(&cs, &condition, (&x, &y), &message, &signature).unwrap())
    });
    line("verify".into(), count);

    let with_registers = |run: fn(&ConstraintSystemRef<F>, &mut RegistersVar)| {
        cost(|cs| {
            let mut r = RegistersVar::new_witness(cs, &Registers::idle()).unwrap();
            let cs = cs.clone();
            Box::new(move || run(&cs, &mut r))
        })
    };
    line("registers".into(), with_registers(|cs, r| drop(r.digest(cs).unwrap())));
    line(
        "op_slot".into(),
        with_registers(|cs, r| drop(op_slot(cs, r, &OpSlot::unused()).unwrap())),
    );
    let one_op = |cs: &ConstraintSystemRef<F>, r: &mut RegistersVar| {
        let mut short = Segment::unused(&SMALL);
        short.ops.truncate(1);
        segment(cs, r, &short).unwrap();
    };
    line("segment_of_one_op".into(), with_registers(one_op));
    line(
        "merge_row".into(),
        with_registers(|cs, r| drop(merge_row(cs, r, &MergeRow::pad()).unwrap())),
    );
    line(
        "tree_row".into(),
        with_registers(|cs, r| tree_row(cs, r, &TreeRow::pad(), None).unwrap()),
    );
    let sealing = |cs: &ConstraintSystemRef<F>, r: &mut RegistersVar| {
        let [root, ops, cursor] = [(); 3].map(|()| witness(cs, F::from(0u64)));
        drop(seal(cs, &StateVar { root, ops, cursor }, r, true).unwrap());
    };
    line("seal".into(), with_registers(sealing));
    for profile in Profile::ALL {
        let cs = setup(&profile);
        let count = [cs.num_constraints(), cs.num_witness_variables(), nonzeros(&cs)];
        line(format!("step_{}", profile.name), count);
    }
    out
}

/// Compares a table with its golden file, or rewrites the file if `ROOTFOLD_BLESS` is set.
fn assert_pinned(file: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gadgets").join(file);
    println!("{table}");
    if std::env::var_os("ROOTFOLD_BLESS").is_some() {
        std::fs::write(&path, table).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(table, golden, "{file}: a circuit changed, see the head of this test's source");
}

#[test]
fn counts_are_pinned() {
    assert_pinned("constraints.txt", &table());
}

/// BLAKE3 over the three matrices, row by row: the number of terms (8 bytes, little-endian), then for
/// each term its coefficient (32 bytes, big-endian) and column (8 bytes, little-endian).
fn digest(cs: &ConstraintSystemRef<F>) -> blake3::Hash {
    cs.finalize();
    let mut hasher = blake3::Hasher::new();
    for row in cs.to_matrices().unwrap()[R1CS_PREDICATE_LABEL].iter().flatten() {
        hasher.update(&(row.len() as u64).to_le_bytes());
        for (coefficient, column) in row {
            hasher.update(&field::to_bytes(coefficient));
            hasher.update(&(*column as u64).to_le_bytes());
        }
    }
    hasher.finalize()
}

/// The digest covers every coefficient, so it also shows a change that leaves the counts as they
/// are. It is that of the step circuit alone; the digest in a verifying key covers the folding too.
#[test]
fn digests_are_pinned() {
    let mut table = String::from("circuit BLAKE3 of its R1CS\n");
    for profile in Profile::ALL {
        writeln!(table, "step_{} {}", profile.name, digest(&setup(&profile))).unwrap();
    }
    assert_pinned("digests.txt", &table);
}
