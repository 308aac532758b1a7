//! A small space, and the rows that a prover makes of runs in it. Nothing is checked, so the runs
//! may be false.

use std::collections::BTreeMap;

use rootfold_core::{
    accumulator::{Addend, Class},
    eddsa::{SecretKey, Signature},
    head::{signed_message, Head},
    height::{key_height, H},
    item::{item, Entry},
    key::Key,
    log::Tip,
    stamp::Stamp,
    step::{MergeRow, OpSlot, Profile, RowClass, Segment, SlotClass, State},
    tree::{
        build,
        chain::{absorb, iv},
    },
    value::value_digest,
    F,
};

/// Op slots of a segment.
pub const SLOTS: usize = 2;
/// Clock of all entries in the tree.
pub const THEN: u64 = 100;
/// The owner, an admitted writer who cheats (Mallory), and a writer who is cheated (Alice).
pub const OWNER: u32 = 0;
pub const MALLORY: u32 = 1;
pub const ALICE: u32 = 2;

/// A writer.
pub struct Author {
    pub secret: SecretKey,
    pub tip: Tip,
}

/// A space: its writers and the entries of its tree.
pub struct World {
    pub authors: BTreeMap<u32, Author>,
    pub entries: BTreeMap<Key, Entry>,
}

/// An op in the form of a slot.
#[derive(Clone, Copy)]
pub struct Put {
    pub ts: u64,
    pub key: Key,
    pub value: F,
    pub class: SlotClass,
    /// Whether the next op belongs to the same group.
    pub more: bool,
}

/// The segments and rows of one run.
#[derive(Clone)]
pub struct Run {
    pub writer: u32,
    pub segments: Vec<Segment>,
    /// The OP rows, with WRITE last.
    pub rows: Vec<MergeRow>,
    pub after: Tip,
}

/// The first user key of this height whose name begins with the letter.
pub fn key(letter: char, height: usize) -> Key {
    (0..)
        .map(|i| Key::shared(format!("{letter}{i}").as_bytes()).unwrap())
        .find(|key| key_height(key) == height)
        .unwrap()
}

/// The value digest of a text.
pub fn value(text: &str) -> F {
    value_digest(text.as_bytes())
}

/// An op of the class that the key has; a put on a shared key, if nobody may write the key.
pub fn put(ts: u64, key: Key, text: &str) -> Put {
    let class = match SlotClass::of(key.kind()) {
        SlotClass::Unused => SlotClass::Shared,
        class => class,
    };
    Put { ts, key, value: value(text), class, more: false }
}

pub fn row(class: RowClass, entry: &Entry) -> MergeRow {
    MergeRow::new(class, entry)
}

/// The addend of an item whose key has height 0, or of a head that is read or written.
pub fn addend(class: Class, item: F) -> Addend {
    Addend { class, height: 0, item }
}

/// The secret key with this number.
pub fn secret(number: u32) -> SecretKey {
    SecretKey::from_bytes([number as u8 + 1; 32])
}

/// Signs a head.
pub fn sign(secret: &SecretKey, head: &Head) -> Signature {
    secret.sign(signed_message(head.head, head.seq))
}

impl World {
    /// A space with these writers, each with three ops in their log, and these user keys.
    pub fn new(writers: &[u32], keys: &[Key]) -> World {
        let mut world = World { authors: BTreeMap::new(), entries: BTreeMap::new() };
        for entry in [Entry::start_sentinel(), Entry::end_sentinel()] {
            world.entries.insert(entry.key, entry);
        }
        for writer in writers {
            let secret = secret(*writer);
            let public_key = secret.public_key();
            let shared = F::from(1u64);
            let head = Head { public_key, seq: F::from(3u64), head: value("head"), shared };
            world.admit(*writer, secret, head, Stamp { ts: THEN, writer: *writer });
        }
        for key in keys {
            let stamp = Stamp { ts: THEN, writer: OWNER };
            world.entries.insert(*key, Entry { key: *key, stamp, value: value("old") });
        }
        world
    }

    /// Adds a writer to the space.
    pub fn admit(&mut self, writer: u32, secret: SecretKey, head: Head, stamp: Stamp) {
        let tip = Tip { head, stamp };
        self.entries.insert(Key::head(writer), tip.entry(writer));
        self.authors.insert(writer, Author { secret, tip });
    }

    /// The owner, two writers, and the user keys a, c, e of height 0.
    pub fn usual() -> World {
        World::new(&[OWNER, MALLORY, ALICE], &['a', 'c', 'e'].map(|letter| key(letter, 0)))
    }

    /// Mallory alone, and the user keys a and c of height 0.
    pub fn small() -> World {
        World::new(&[MALLORY], &['a', 'c'].map(|letter| key(letter, 0)))
    }

    pub fn entry(&self, key: Key) -> Entry {
        self.entries[&key]
    }

    pub fn root(&self) -> F {
        build(&self.entries.values().copied().collect::<Vec<_>>()).root
    }

    pub fn state(&self) -> State {
        State::genesis(self.root())
    }

    /// The root of the tree with these entries inserted or replaced.
    pub fn root_with(&self, written: &[Entry]) -> F {
        let mut entries = self.entries.clone();
        entries.extend(written.iter().map(|entry| (entry.key, *entry)));
        build(&entries.into_values().collect::<Vec<_>>()).root
    }

    /// The items of every level with their heights.
    pub fn levels(&self) -> Vec<Vec<(F, usize)>> {
        let leaves = self.entries.values().map(|e| (e.item(), key_height(&e.key))).collect();
        let mut levels: Vec<Vec<(F, usize)>> = vec![leaves];
        for level in 0..H {
            let mut chain = iv(level);
            let mut above = Vec::new();
            for (digest, height) in &levels[level] {
                chain = absorb(chain, *digest);
                if *height > level {
                    above.push((std::mem::replace(&mut chain, iv(level)), *height));
                }
            }
            levels.push(above);
        }
        levels
    }

    /// A run of a writer of this space, signed by them.
    pub fn run(&self, writer: u32, puts: &[Put]) -> Run {
        let author = &self.authors[&writer];
        run(writer, author.tip, puts, &author.secret)
    }
}

/// A run that continues any tip, signed with any key.
pub fn run(writer: u32, before: Tip, puts: &[Put], secret: &SecretKey) -> Run {
    let chunks: Vec<&[Put]> = puts.chunks(SLOTS).collect();
    segmented(writer, before, &chunks, secret)
}

/// As [`run`], with the ops of each segment. Heads that they replace are left to the caller.
pub fn segmented(writer: u32, before: Tip, chunks: &[&[Put]], secret: &SecretKey) -> Run {
    let mut segments = Vec::new();
    let mut rows = Vec::new();
    let mut after = before;
    for chunk in chunks {
        let mut segment = Segment::unused(&shape());
        for (slot, put) in segment.ops.iter_mut().zip(*chunk) {
            let stamp = Stamp { ts: put.ts, writer };
            let kappa = put.key.digest();
            let key = put.key.limbs();
            let Put { class, more, ts, value, .. } = *put;
            *slot = OpSlot { class, more, ts, key, value };
            after.head = after.head.after(item(kappa, stamp.to_field(), value), more);
            after.stamp = stamp;
            let class = match class {
                SlotClass::Replacement => continue,
                SlotClass::Grant => RowClass::Grant,
                _ => RowClass::User,
            };
            rows.push(row(class, &Entry { key: put.key, stamp, value: put.value }));
        }
        segments.push(segment);
    }
    let last = segments.len().checked_sub(1).expect("a run has ops");
    segments[last].end = true;
    segments[last].signature = sign(secret, &after.head);
    let first = &mut segments[0];
    first.start = true;
    first.writer = writer;
    first.head = before.head;
    first.stamp = before.stamp;
    rows.push(row(RowClass::Write, &after.entry(writer)));
    Run { writer, segments, rows, after }
}

/// A shape whose segments are those of every draft.
pub fn shape() -> Profile {
    Profile { name: "draft", segments: 1, slots: SLOTS, rows: 1, tree_rows: 1 }
}
