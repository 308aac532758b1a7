//! Writes a git history into a space: each author a writer, each changed path an op.

use std::{collections::BTreeMap, path::Path};

use rootfold_core::{
    eddsa::{SecretKey, POINT_BYTES},
    head::Head,
    key::Key,
    log::{LogBatch, Op, SignedOp, Tip},
    value::{tombstone, value_digest},
    F,
};
use rootfold_light::{submission::Submission, values::Value};
use rootfold_node::{
    git::{plan, Blobs, Change, Content, History},
    space::Space,
};

use crate::cli::failure::{Failure, OrFail};

/// The owner's id.
const OWNER: u32 = 0;
/// The most ops in one submission.
const MAX_OPS: usize = 256;
/// A submission is closed when its values reach this many bytes.
const FULL_BYTES: usize = 2 * 1024 * 1024;

/// An import under way. Changes that the space holds already, from an import that was cut off, are
/// passed over.
pub struct Import<'a> {
    space: &'a Space,
    history: &'a History,
    blobs: Blobs,
    clocks: Vec<u64>,
    authors: Vec<Author>,
    /// Index of the next change.
    next: usize,
    /// Ops written by this import.
    written: u64,
}

/// An author as a writer.
struct Author {
    writer: u32,
    secret: SecretKey,
    tip: Tip,
    /// Ops of his log that are to be passed over.
    held: u64,
}

impl<'a> Import<'a> {
    /// Grants every author who is no writer yet, in the order of first change.
    pub fn begin(
        space: &'a Space,
        owner: &SecretKey,
        path: &Path,
        history: &'a History,
    ) -> Result<Import<'a>, Failure> {
        let mut blobs = Blobs::open(path)?;
        let clocks = plan::clocks(history.changes.iter().map(|change| change.seconds));
        let secrets: Vec<SecretKey> =
            history.authors.iter().map(|email| plan::author_secret(owner, email)).collect();
        let written = grant_missing(space, owner, history, &clocks, &secrets)?;
        let authors = writers_of(space, secrets)?;
        check_held(space, history, &mut blobs, &authors)?;
        Ok(Import { space, history, blobs, clocks, authors, next: 0, written })
    }

    /// Writes changes up to the one with index `end`, as few submissions as their limits allow.
    /// `progress` is told how many changes are done.
    pub fn run_to(&mut self, end: usize, mut progress: impl FnMut(usize)) -> Result<(), Failure> {
        let end = end.min(self.history.changes.len());
        while self.next < end {
            self.submit_some(end)?;
            progress(self.next);
        }
        Ok(())
    }

    /// Ops that this import wrote: grants and changes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Makes and ingests one submission.
    fn submit_some(&mut self, end: usize) -> Result<(), Failure> {
        let mut batches: Vec<Option<LogBatch>> = vec![None; self.authors.len()];
        let (mut values, mut ops, mut bytes) = (Vec::new(), 0, 0);
        while self.next < end && ops < MAX_OPS && bytes < FULL_BYTES {
            let (change, clock) = (&self.history.changes[self.next], self.clocks[self.next]);
            self.next += 1;
            let author = &mut self.authors[change.author];
            if author.held > 0 {
                author.held -= 1;
                continue;
            }
            let value = match &change.content {
                Content::Delete => tombstone(),
                Content::Put { blob } => {
                    let contents = self.blobs.contents(blob)?;
                    let digest = value_digest(&contents);
                    bytes += contents.len();
                    values.push(Value::user(contents));
                    digest
                }
            };
            let batch = &mut batches[change.author];
            author.sign(batch, Op { ts: clock, key: plan::path_key(&change.path), value })?;
            ops += 1;
        }
        let batches: Vec<LogBatch> = batches.into_iter().flatten().collect();
        if batches.is_empty() {
            return Ok(());
        }
        let ingested = self.space.ingest(&Submission { batches, values })?;
        self.written += ingested.ops;
        Ok(())
    }
}

impl Author {
    /// Signs an op and appends it to the batch. The clock is moved up where the log is ahead.
    fn sign(&mut self, batch: &mut Option<LogBatch>, mut op: Op) -> Result<(), Failure> {
        let first_seq = self.tip.seq(self.writer).or_refused("signing")?;
        op.ts = op.ts.max(self.tip.stamp.ts.saturating_add(1));
        let (signed, tip) =
            SignedOp::sign(&self.tip, self.writer, op, &self.secret).or_refused("signing")?;
        self.tip = tip;
        batch
            .get_or_insert_with(|| LogBatch { writer: self.writer, first_seq, ops: Vec::new() })
            .ops
            .push(signed);
        Ok(())
    }
}

/// Grants the authors who are no writers yet; returns how many.
fn grant_missing(
    space: &Space,
    owner: &SecretKey,
    history: &History,
    clocks: &[u64],
    secrets: &[SecretKey],
) -> Result<u64, Failure> {
    let salt = salt(space)?;
    let writers = space.writers();
    let mut tip = *writers.get(&OWNER).ok_or_else(|| Failure::refused("a space without owner"))?;
    let known = ids_by_key(&writers);
    let mut free = (1..=u32::MAX).filter(|writer| !writers.contains_key(writer));
    let mut first_seq = tip.seq(OWNER).or_refused("granting")?;
    let (mut ops, mut values) = (Vec::new(), Vec::new());
    for (secret, first) in secrets.iter().zip(first_changes(history)) {
        let public_key = secret.public_key();
        if known.contains_key(&public_key.to_bytes()) {
            continue;
        }
        let writer = free.next().ok_or_else(|| Failure::refused("no writer id is free"))?;
        // Just before the author's first change: a grant's clock is where his own begins.
        let ts = (clocks[first] - 1).max(tip.stamp.ts.saturating_add(1));
        let head = Head::first(salt, public_key);
        let op = Op { ts, key: Key::head(writer), value: head.digest() };
        let signed = SignedOp::sign(&tip, OWNER, op, owner).or_refused("granting")?;
        tip = signed.1;
        ops.push(signed.0);
        values.push(Value::head(&head));
    }
    let mut written = 0;
    for (ops, values) in ops.chunks(MAX_OPS).zip(values.chunks(MAX_OPS)) {
        let batch = LogBatch { writer: OWNER, first_seq, ops: ops.to_vec() };
        first_seq += ops.len() as u64;
        let submission = Submission { batches: vec![batch], values: values.to_vec() };
        written += space.ingest(&submission)?.ops;
    }
    Ok(written)
}

/// The authors' ids and tips.
fn writers_of(space: &Space, secrets: Vec<SecretKey>) -> Result<Vec<Author>, Failure> {
    let writers = space.writers();
    let known = ids_by_key(&writers);
    let author = |secret: SecretKey| {
        let writer = known.get(&secret.public_key().to_bytes()).copied();
        let writer = writer.ok_or_else(|| Failure::refused("an author was not granted"))?;
        let tip = writers[&writer];
        let held = tip.seq(writer).or_refused("reading an author's log")?;
        Ok(Author { writer, secret, tip, held })
    };
    secrets.into_iter().map(author).collect()
}

fn ids_by_key(writers: &BTreeMap<u32, Tip>) -> BTreeMap<[u8; POINT_BYTES], u32> {
    writers.iter().map(|(id, tip)| (tip.head.public_key.to_bytes(), *id)).collect()
}

/// Index of each author's first change, by author.
fn first_changes(history: &History) -> Vec<usize> {
    let mut firsts = Vec::with_capacity(history.authors.len());
    for (index, change) in history.changes.iter().enumerate() {
        // Authors are numbered in the order of their first change.
        if change.author == firsts.len() {
            firsts.push(index);
        }
    }
    firsts
}

/// Checks that what the space holds of each author is the beginning of this history, by the last
/// op that both have.
fn check_held(
    space: &Space,
    history: &History,
    blobs: &mut Blobs,
    authors: &[Author],
) -> Result<(), Failure> {
    let mut changes: Vec<Vec<&Change>> = vec![Vec::new(); authors.len()];
    for change in &history.changes {
        changes[change.author].push(change);
    }
    for (author, changes) in authors.iter().zip(changes) {
        let both = changes.len().min(usize::try_from(author.held).unwrap_or(usize::MAX));
        let Some(last) = both.checked_sub(1) else { continue };
        // A bootstrapped replica does not hold what its snapshot folded.
        let log = space.log(author.writer, last as u64, 1)?;
        let Some((_, signed)) = log.first().filter(|(seq, _)| *seq == last as u64) else {
            continue;
        };
        let change = changes[last];
        let value = match &change.content {
            Content::Delete => tombstone(),
            Content::Put { blob } => value_digest(&blobs.contents(blob)?),
        };
        if (signed.op.key, signed.op.value) != (plan::path_key(&change.path), value) {
            let email = String::from_utf8_lossy(&history.authors[change.author]).into_owned();
            return Err(Failure::refused(format!(
                "the log of writer {} ({email}) holds other ops than this history begins with; a \
                 space takes one git history",
                author.writer
            )));
        }
    }
    Ok(())
}

/// Says line by line what an import leaves out or changes.
pub fn left_out(history: &History) -> Vec<String> {
    let mut lines: Vec<String> = history.skipped.in_words().into_iter().collect();
    match cut_paths(history) {
        0 => {}
        cut => lines.push(format!("{cut} changes are of paths too long for a key: cut and hashed")),
    }
    lines
}

/// How many changes are of paths too long for a key.
pub fn cut_paths(history: &History) -> usize {
    history.changes.iter().filter(|change| plan::is_cut(&change.path)).count()
}

fn salt(space: &Space) -> Result<F, Failure> {
    let genesis = space.genesis()?;
    let genesis = genesis
        .ok_or_else(|| Failure::unreachable("this replica does not know the space's genesis"))?;
    Ok(genesis.salt)
}
