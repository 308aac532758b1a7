//! Criterion benches of `rootfold-arith`: multi-scalar multiplication and the Jacobi symbol.

#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

use std::hint::black_box;

use ark_std::UniformRand;
use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rootfold_arith::{
    jacobi::is_nonzero_square,
    msm::{msm, PreparedBases},
    F,
};

fn random<T: UniformRand>(count: usize) -> Vec<T> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    (0..count).map(|_| T::rand(&mut rng)).collect()
}

fn sums(c: &mut Criterion) {
    let mut group = c.benchmark_group("msm");
    group.sample_size(10);
    let scalars: Vec<F> = random(1 << 14);
    group.throughput(Throughput::Elements(scalars.len() as u64));
    let g1: Vec<ark_bn254::G1Affine> = random(scalars.len());
    group.bench_function("G1, full-size scalars", |b| b.iter(|| msm(black_box(&g1), &scalars)));
    let bits: Vec<F> = (0..scalars.len()).map(|i| F::from(i as u64 % 2)).collect();
    group.bench_function("G1, bits", |b| b.iter(|| msm(black_box(&g1), &bits)));
    let g2: Vec<ark_bn254::G2Affine> = random(scalars.len());
    group.bench_function("G2, full-size scalars", |b| b.iter(|| msm(black_box(&g2), &scalars)));

    let scalars: Vec<ark_bn254::Fq> = random(1500);
    let bases: Vec<ark_grumpkin::Affine> = random(scalars.len());
    group.throughput(Throughput::Elements(scalars.len() as u64));
    group.bench_function("prepare Grumpkin", |b| b.iter(|| PreparedBases::new(black_box(&bases))));
    let prepared = PreparedBases::new(&bases);
    group.bench_function("prepared Grumpkin", |b| b.iter(|| prepared.msm(black_box(&scalars))));
}

fn squares(c: &mut Criterion) {
    let numbers: Vec<F> = random(1000);
    let mut group = c.benchmark_group("jacobi");
    group.throughput(Throughput::Elements(numbers.len() as u64));
    group.bench_function("is_nonzero_square", |b| {
        b.iter(|| black_box(&numbers).iter().filter(|x| is_nonzero_square(x)).count());
    });
}

criterion_group!(benches, sums, squares);
criterion_main!(benches);
