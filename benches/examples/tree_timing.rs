//! Times the operations of the tree in memory: build, page check, update, lookup and scan.
//!
//! `cargo run --release --package rootfold-benches --example tree_timing [entries]`. The default is
//! 100000 entries.

use std::{error::Error, time::Instant};

use rootfold_core::{
    item::Entry,
    key::Key,
    stamp::Stamp,
    tree::{self, MemoryStore, Page},
    value::value_digest,
};

fn entry(number: u64, ts: u64) -> Result<Entry, Box<dyn Error>> {
    let key = Key::shared(format!("user/{number:08}").as_bytes())?;
    let value = value_digest(&ts.to_be_bytes());
    Ok(Entry { key, stamp: Stamp { ts, writer: 0 }, value })
}

fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(100_000), |n| n.parse())?;
    let mut entries = vec![Entry::start_sentinel()];
    for number in 0..count {
        entries.push(entry(number, 1)?);
    }
    entries.push(Entry::end_sentinel());

    let start = Instant::now();
    let built = tree::build(&entries);
    let seconds = start.elapsed().as_secs_f64();
    let pages = built.pages.len();
    println!("build: {count} entries, {pages} pages, {:.0} entries/s", count as f64 / seconds);

    let mut store = MemoryStore::default();
    store.apply(&built);
    let encoded: Vec<_> = built.pages.iter().map(|(n, p)| (*n, p.encode(&|_| None))).collect();
    let bytes: usize = encoded.iter().map(|(_, bytes)| bytes.len()).sum();
    let largest = encoded.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(0);
    println!("pages: {} bytes on average, largest {largest}", bytes / pages);

    let sample = &encoded[..encoded.len().min(200)];
    let start = Instant::now();
    for (name, bytes) in sample {
        Page::check(name, bytes)?;
    }
    let each = start.elapsed().as_secs_f64() / sample.len() as f64;
    let rate = bytes as f64 / pages as f64 / each / 1e6;
    println!("check: {:.2} ms per page, {rate:.2} MB/s", each * 1e3);

    let start = Instant::now();
    for (_, bytes) in &encoded {
        Page::decode(bytes)?;
    }
    let each = start.elapsed().as_secs_f64() / pages as f64;
    println!("decode without hashing: {:.1} us per page", each * 1e6);

    for batch in [1u64, 16, 256] {
        let stride = count / batch;
        let upserts: Vec<_> = (0..batch).map(|n| entry(n * stride, 2)).collect::<Result<_, _>>()?;
        let start = Instant::now();
        let update = tree::update(&store, built.root, &upserts)?;
        let ms = start.elapsed().as_secs_f64() * 1e3;
        println!("update of {batch} spread entries: {ms:.1} ms, {} pages", update.pages.len());
    }

    let start = Instant::now();
    let lookups = 10_000;
    for n in 0..lookups {
        tree::lookup(&store, built.root, &entry(n * 7919 % count, 1)?.key)?;
    }
    let each = start.elapsed().as_secs_f64() / lookups as f64;
    println!("lookup in memory: {:.1} us", each * 1e6);

    let start = Instant::now();
    let read = tree::scan(&store, built.root, ..)?.count();
    println!("scan: {:.0} entries/s", read as f64 / start.elapsed().as_secs_f64());
    Ok(())
}
