//! How many bytes an answer of the index takes, and how long a client checks it:
//! `cargo run --release --example find_size -- ENTRIES POSTS LIMIT` (1000000 100000 32). Fills a space in
//! memory, which takes a minute and about 3 GB for a million entries.

use std::{env, error::Error, sync::Arc, time::Instant};

use prost::Message;
use rootfold_core::{
    eddsa::SecretKey,
    key::Key,
    mark::Mark,
    space::{Genesis, Sharing},
    F,
};
use rootfold_light::{
    answer, messages,
    query::{At, FindQuery, RangeQuery},
    signing::{compose, Change, OWNER},
};
use rootfold_node::{server::QueryService, space::Space, store::MemoryStore};
use rootfold_proto::v1::query_service_server::QueryService as _;
use tonic::Request;

/// Ops of one submission: the largest group.
const GROUP: usize = 4096;
/// How often the answer is checked.
const TIMES: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = env::args().skip(1).map(|arg| arg.parse::<usize>());
    let mut number = |default: usize| given.next().unwrap_or(Ok(default));
    let (entries, posts, limit) = (number(1_000_000)?, number(100_000)?, number(32)?);

    let owner = SecretKey::from_bytes([1; 32]);
    let genesis = Genesis::new(F::from(1u64), Sharing::Everyone, vec![owner.public_key()])?;
    let space = Space::create(Arc::new(MemoryStore::new()), &genesis)?;
    let plain = entries.saturating_sub(2 * posts);
    let began = Instant::now();
    let write = |changes: Vec<Change>| -> Result<(), Box<dyn Error>> {
        let tip = space.tip(OWNER).ok_or("the owner has a log")?;
        space.ingest(&compose(&tip, OWNER, &owner, changes)?.0)?;
        Ok(())
    };
    for first in (0..plain).step_by(GROUP) {
        let change = |n: usize| {
            let key = Key::shared(format!("entry {n}").as_bytes())?;
            Ok(Change::new(key, Some(n.to_be_bytes().to_vec()), 0))
        };
        let changes = (first..plain.min(first + GROUP)).map(change);
        write(changes.collect::<Result<_, Box<dyn Error>>>()?)?;
    }
    for first in (0..posts).step_by(GROUP / 2) {
        let change = |n: usize| {
            let key = Key::owned(OWNER, blake3::hash(&n.to_be_bytes()).as_bytes())?;
            let text =
                format!("post {n}: a text of about a hundred bytes, as posts on a board have them");
            let marks = vec![Mark::new(b"cats", &(n as u64).to_be_bytes())?];
            Ok(Change { marks, ..Change::new(key, Some(text.into_bytes()), 0) })
        };
        let changes = (first..posts.min(first + GROUP / 2)).map(change);
        write(changes.collect::<Result<_, Box<dyn Error>>>()?)?;
    }
    println!("{} entries in {:.1} s", space.status().entries, began.elapsed().as_secs_f64());

    let query = FindQuery::new(b"cats", limit as u32)?.with(RangeQuery::reversed);
    let asked = messages::find_out(space.id(), At::Latest, &query);
    let service = QueryService::new(space.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let began = Instant::now();
    let answer = runtime.block_on(service.find(Request::new(asked)))?.into_inner();
    let made = began.elapsed();
    let pages: usize = answer.pages.iter().map(|page| page.content.len()).sum();
    let paths: usize = answer.marked.iter().map(Message::encoded_len).sum();
    let mut checks: Vec<f64> = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let again = answer.clone();
        let began = Instant::now();
        let checked = answer::check_find(&query, again)?;
        checks.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(checked.hits.len(), limit.min(posts));
    }
    checks.sort_by(f64::total_cmp);
    println!(
        "{limit} of {posts} posts: {} bytes ({pages} of {} pages, {paths} of paths), made in {:.1} ms, \
         checked in {:.2} ms (median of {TIMES}, {:.2} to {:.2})",
        answer.encoded_len(),
        answer.pages.len(),
        made.as_secs_f64() * 1e3,
        checks[TIMES / 2],
        checks[0],
        checks[TIMES - 1],
    );
    Ok(())
}
