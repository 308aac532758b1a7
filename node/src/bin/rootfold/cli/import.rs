//! Imports a git history into a space: each author becomes a writer, each changed path an op.

use std::{collections::BTreeMap, path::Path};

use rootfold_core::{
    eddsa::{SecretKey, POINT_BYTES},
    head::Head,
    key::Key,
    log::{LogBatch, Op, SignedOp, Tip},
    value::{tombstone, value_digest},
};
use rootfold_light::{signing::OWNER, submission::Submission, values::Value};
use rootfold_node::{
    clock::{Clock, SystemClock},
    git::{plan, Blobs, Content, History},
    space::{Space, Tips},
};

use super::{
    failure::{Failure, OrFail},
    genesis,
};

mod held;

use held::{Difference, Kept};

/// The largest number of ops in a submission.
const MAX_OPS: usize = 256;
/// A submission is closed when its values have this number of bytes.
const FULL_BYTES: usize = 2 * 1024 * 1024;

/// An import in progress. It skips the changes that an earlier import of the history has written.
pub struct Import<'a> {
    space: &'a Space,
    history: &'a History,
    blobs: Blobs,
    clocks: Vec<u64>,
    authors: Vec<Author>,
    /// The index of the next change.
    next: usize,
    /// The number of ops that this import has written.
    written: u64,
    /// What [`Import::settle`] has left as another writer has it.
    kept: Vec<Kept>,
}

/// An author as a writer.
pub(super) struct Author {
    pub(super) writer: u32,
    secret: SecretKey,
    tip: Tip,
    /// The number of changes to skip: those whose ops the log holds.
    pub(super) held: u64,
}

impl<'a> Import<'a> {
    /// Grants all authors who are not writers yet, in the order of their first changes.
    pub fn begin(
        space: &'a Space,
        owner: &SecretKey,
        path: &Path,
        history: &'a History,
    ) -> Result<Import<'a>, Failure> {
        let mut blobs = Blobs::open(path)?;
        let now = SystemClock.now_ms();
        let clocks = plan::clocks(history.changes.iter().map(|change| change.seconds), now);
        let secrets: Vec<SecretKey> =
            history.authors.iter().map(|email| plan::author_secret(owner, email)).collect();
        let written = grant_missing(space, owner, history, &clocks, &secrets)?;
        let mut authors = writers_of(space, secrets)?;
        held::check(space, history, &mut blobs, &mut authors)?;
        Ok(Import { space, history, blobs, clocks, authors, next: 0, written, kept: Vec::new() })
    }

    /// Writes the changes before index `end`. `progress` receives the number of changes so far.
    pub fn run_to(&mut self, end: usize, mut progress: impl FnMut(usize)) -> Result<(), Failure> {
        let end = end.min(self.history.changes.len());
        while self.next < end {
            self.submit_some(end)?;
            progress(self.next);
        }
        Ok(())
    }

    /// Writes what is missing until the state is that of `HEAD`: the history of the repository may have
    /// been merged in another order than when an earlier import wrote it. Only entries of the authors are
    /// changed; [`Import::kept`] has the others. Does nothing for a history that is not complete.
    pub fn settle(&mut self) -> Result<(), Failure> {
        if !self.history.complete {
            return Ok(());
        }
        let (changes, kept) =
            held::differences(self.space, self.history, &mut self.blobs, &self.authors)?;
        self.kept = kept;
        for part in changes.chunks(MAX_OPS / 8) {
            let mut batches: Vec<Option<LogBatch>> = vec![None; self.authors.len()];
            let mut values = Vec::new();
            for Difference { author, key, after, blob } in part {
                let value = match blob {
                    None => tombstone(),
                    Some(blob) => {
                        let contents = self.blobs.contents(blob)?;
                        let digest = value_digest(&contents);
                        values.push(Value::user(contents));
                        digest
                    }
                };
                let op = Op { more: false, ts: after.saturating_add(1), key: *key, value };
                self.authors[*author].sign(&mut batches[*author], op)?;
            }
            let batches: Vec<LogBatch> = batches.into_iter().flatten().collect();
            self.written += self.space.ingest(&Submission { batches, values })?.ops;
        }
        Ok(())
    }

    /// The number of ops that this import has written: grants and changes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The keys whose entries are not those of `HEAD`, since another writer has written them, in order.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Signs and ingests one submission.
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
            author.sign(
                batch,
                Op { more: false, ts: clock, key: plan::path_key(&change.path), value },
            )?;
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
    /// Signs an op and appends it to the batch. Its clock is raised if the log is ahead.
    fn sign(&mut self, batch: &mut Option<LogBatch>, mut op: Op) -> Result<(), Failure> {
        let first_seq = self.tip.seq(self.writer).or_refused("signing an op")?;
        op.ts = op.ts.max(self.tip.stamp.ts.saturating_add(1));
        let (signed, tip) =
            SignedOp::sign(&self.tip, self.writer, op, &self.secret).or_refused("signing an op")?;
        self.tip = tip;
        batch
            .get_or_insert_with(|| LogBatch { writer: self.writer, first_seq, ops: Vec::new() })
            .ops
            .push(signed);
        Ok(())
    }
}

/// Grants the authors who are not writers yet; returns their number.
fn grant_missing(
    space: &Space,
    owner: &SecretKey,
    history: &History,
    clocks: &[u64],
    secrets: &[SecretKey],
) -> Result<u64, Failure> {
    let salt = genesis(space)?.salt;
    let writers = space.writers();
    let mut tip = *writers.get(&OWNER).ok_or_else(|| Failure::refused("the space has no owner"))?;
    let known = ids_by_key(&writers);
    let mut free = (1..=u32::MAX).filter(|writer| !writers.contains_key(writer));
    let mut first_seq = tip.seq(OWNER).or_refused("granting an author")?;
    let (mut ops, mut values) = (Vec::new(), Vec::new());
    for (secret, first) in secrets.iter().zip(first_changes(history)) {
        let public_key = secret.public_key();
        if known.contains_key(&public_key.to_bytes()) {
            continue;
        }
        let writer =
            free.next().ok_or_else(|| Failure::refused("all 2^32 writer ids are taken"))?;
        // Just before the author's first change: the log of a writer begins at the clock of the grant.
        let ts = (clocks[first] - 1).max(tip.stamp.ts.saturating_add(1));
        let head = Head::first(salt, public_key, true);
        let op = Op { more: false, ts, key: Key::head(writer), value: head.digest() };
        let signed = SignedOp::sign(&tip, OWNER, op, owner).or_refused("granting an author")?;
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

/// The ids and tips of the authors.
fn writers_of(space: &Space, secrets: Vec<SecretKey>) -> Result<Vec<Author>, Failure> {
    let writers = space.writers();
    let known = ids_by_key(&writers);
    let author = |secret: SecretKey| {
        let writer = known.get(&secret.public_key().to_bytes()).copied();
        let writer = writer.ok_or_else(|| {
            Failure::refused("an author of the history is not a writer of the space")
        })?;
        let tip = writers[&writer];
        let held = tip.seq(writer).or_refused(format!("the log of writer {writer}"))?;
        Ok(Author { writer, secret, tip, held })
    };
    secrets.into_iter().map(author).collect()
}

fn ids_by_key(writers: &Tips) -> BTreeMap<[u8; POINT_BYTES], u32> {
    writers.iter().map(|(id, tip)| (tip.head.public_key.to_bytes(), *id)).collect()
}

/// The index of each author's first change.
fn first_changes(history: &History) -> Vec<usize> {
    let mut firsts = Vec::with_capacity(history.authors.len());
    for (index, change) in history.changes.iter().enumerate() {
        // Authors are numbered in the order of their first changes.
        if change.author == firsts.len() {
            firsts.push(index);
        }
    }
    firsts
}

/// Lines about what an import skips or shortens.
pub fn left_out(history: &History) -> Vec<String> {
    let mut lines: Vec<String> = history.skipped.summary().into_iter().collect();
    if history.shallow {
        lines.push(
            "the repository is a shallow clone: the older part of its history is missing".into(),
        );
    }
    match odd_dates(history) {
        0 => {}
        odd => lines.push(format!(
            "{odd} changes have dates before 1970 or in the future; they count as 1970 or as now"
        )),
    }
    match cut_paths(history) {
        0 => {}
        cut => lines.push(format!(
            "{cut} changes have paths over 91 bytes; their keys are shortened with a hash, and `get PATH` \
             finds them"
        )),
    }
    lines
}

/// The number of changes with dates that no clock can have.
pub fn odd_dates(history: &History) -> usize {
    let now = SystemClock.now_ms();
    history.changes.iter().filter(|change| plan::is_odd(change.seconds, now)).count()
}

/// The paths that are too long for a key, each with the key that it has instead.
pub fn cut_keys(history: &History) -> BTreeMap<&[u8], Key> {
    let cut = history.changes.iter().filter(|change| plan::is_cut(&change.path));
    cut.map(|change| (change.path.as_slice(), plan::path_key(&change.path))).collect()
}

/// The number of changes whose paths are too long for a key.
pub fn cut_paths(history: &History) -> usize {
    history.changes.iter().filter(|change| plan::is_cut(&change.path)).count()
}
