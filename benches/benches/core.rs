//! Criterion benches of `rootfold-core`: hashes, signatures, the tree and its pages.

#![allow(missing_docs, reason = "criterion's macro generates an undocumented function")]

use std::{
    hint::black_box,
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
};

use ark_std::UniformRand;
use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use light_poseidon::{Poseidon, PoseidonHasher};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_core::{
    eddsa::{verify, SecretKey},
    hash::{hash, hash_each, Tag},
    item::Entry,
    key::Key,
    stamp::Stamp,
    tree::{build, update, MemoryStore, Page},
    value::value_digest,
    F,
};

/// Number of inputs in a call of `hash_each`.
const BATCH: usize = 64;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// `count` random user entries and the two sentinels, ordered by key.
fn entries(count: usize) -> Vec<Entry> {
    let mut rng = rng();
    let mut entries: Vec<Entry> = (0..count)
        .map(|_| Entry {
            key: Key::shared(&rng.gen::<[u8; 16]>()).expect("a key of 16 bytes is valid"),
            stamp: Stamp { ts: rng.gen(), writer: 1 },
            value: value_digest(&rng.gen::<[u8; 16]>()),
        })
        .chain([Entry::start_sentinel(), Entry::end_sentinel()])
        .collect();
    entries.sort_by_key(|e| e.key);
    entries
}

fn hashes(c: &mut Criterion) {
    let mut rng = rng();
    let [x, y, z] = [(); 3].map(|()| F::rand(&mut rng));
    let mut group = c.benchmark_group("hash");
    group.bench_function("H_2", |b| b.iter(|| hash(Tag::Node, black_box([x, y]))));
    group.bench_function("H_3", |b| b.iter(|| hash(Tag::Item, black_box([x, y, z]))));
    // `BATCH` independent hashes per call.
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("H_2 each", |b| {
        b.iter(|| hash_each(Tag::Node, black_box(&[[x, y]; BATCH])));
    });
    group.bench_function("H_3 each", |b| {
        b.iter(|| hash_each(Tag::Item, black_box(&[[x, y, z]; BATCH])));
    });
    group.throughput(Throughput::Elements(1));
    for n in [2, 3] {
        let mut oracle =
            Poseidon::<F>::new_circom(n).expect("circomlib has parameters for this width");
        let inputs = [x, y, z];
        group.bench_function(format!("light-poseidon H_{n}"), |b| {
            b.iter(|| oracle.hash(black_box(&inputs[..n])));
        });
    }
}

fn signatures(c: &mut Criterion) {
    let mut rng = rng();
    let secret = SecretKey::random(&mut rng);
    let message = F::rand(&mut rng);
    let signature = secret.sign(message);
    let key = secret.public_key();
    let mut group = c.benchmark_group("eddsa");
    group.bench_function("sign", |b| b.iter(|| secret.sign(black_box(message))));
    group.bench_function("verify", |b| b.iter(|| verify(&key, black_box(message), &signature)));
}

fn trees(c: &mut Criterion) {
    let all = entries(2_000);
    let mut group = c.benchmark_group("tree");
    group.sample_size(10);
    group.throughput(Throughput::Elements(all.len() as u64));
    group.bench_function("build 2000", |b| b.iter(|| build(black_box(&all)).root));

    let built = build(&all);
    let mut store = MemoryStore::default();
    store.apply(&built);
    for batch in [1usize, 16, 256] {
        let mut upserts: Vec<Entry> =
            all[1..=2_000].iter().step_by(2_000 / batch).copied().collect();
        for entry in &mut upserts {
            entry.value = value_digest(b"another value");
        }
        group.throughput(Throughput::Elements(upserts.len() as u64));
        group.bench_function(format!("update {batch} of 2000"), |b| {
            b.iter_batched(
                || upserts.clone(),
                |upserts| update(&store, built.root, &upserts).map(|u| u.root),
                BatchSize::SmallInput,
            );
        });
    }

    let pages: Vec<_> = built.pages.iter().map(|(n, page)| (*n, page.encode(&|_| None))).collect();
    group.throughput(Throughput::Elements(all.len() as u64));
    group.bench_function("page check", |b| {
        b.iter(|| pages.iter().all(|(name, bytes)| Page::check(name, black_box(bytes)).is_ok()));
    });
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    group.bench_function(format!("page check, {threads} threads"), |b| {
        b.iter(|| check_on_threads(threads, &pages));
    });
}

/// Checks all pages as a bootstrap does: each thread repeatedly takes the next unchecked page.
fn check_on_threads(threads: usize, pages: &[(F, Vec<u8>)]) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((name, bytes)) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Page::check(name, black_box(bytes)).expect("the page is valid");
                }
            });
        }
    });
}

criterion_group!(benches, hashes, signatures, trees);
criterion_main!(benches);
