use prost::Message;
use rootfold_core::{mark::Mark, stamp::Stamp, tree::Update};
use rootfold_proto::v1;

use super::*;
use crate::values::Value;

const POSTS: u32 = 2_000;

/// A tree, and the files of it that a publisher writes.
struct Published {
    root: F,
    files: BTreeMap<TreeFile, Vec<u8>>,
    primaries: Vec<Key>,
}

fn post(i: u32) -> Key {
    Key::owned(i % 3, &i.to_be_bytes()).unwrap()
}

/// Every tenth value is a file of its own.
fn content(i: u32) -> Vec<u8> {
    let length = if i.is_multiple_of(10) { tree::MAX_INLINE_VALUE + 1 } else { 20 };
    i.to_be_bytes().into_iter().cycle().take(length).collect()
}

fn order(i: u32) -> [u8; 4] {
    i.to_be_bytes()
}

/// Posts with a mark each. Every seventh mark is stale, and every eleventh one is withdrawn.
fn publish() -> Published {
    let mut entries =
        BTreeMap::from([(Key::START, Entry::start_sentinel()), (Key::END, Entry::end_sentinel())]);
    let mut values = BTreeMap::new();
    let mut primaries = Vec::new();
    for i in 0..POSTS {
        let key = post(i);
        let value = Value::user(content(i));
        let stamp = Stamp { ts: u64::from(i) + 1, writer: i % 3 };
        entries.insert(key, Entry { key, stamp, value: value.name.digest });
        let mark = Mark::new(b"cats", &order(i)).unwrap().key(&key);
        let stale = Stamp { ts: stamp.ts - u64::from(i % 7 == 0), ..stamp };
        let of_mark = if i % 11 == 0 { tombstone() } else { value.name.digest };
        entries.insert(mark, Entry { key: mark, stamp: stale, value: of_mark });
        values.insert(value.name, value.content);
        primaries.push(key);
    }
    let entries: Vec<Entry> = entries.into_values().collect();
    let Update { root, pages, .. } = tree::build(&entries);
    let mut files = BTreeMap::new();
    for (name, page) in &pages {
        let inline = |entry: &Entry| {
            let value = values.get(&ValueName::of_entry(entry)?)?;
            (value.len() <= tree::MAX_INLINE_VALUE).then(|| value.clone())
        };
        files.insert(TreeFile::Page(*name), page.encode(&inline));
        let live = page.entries().iter().filter(|entry| is_live_mark(entry));
        let digests: BTreeSet<Digest> = live.map(|entry| digest_in(&entry.key)).collect();
        let is_in = |key: &&Key| digests_of(&key.digest()).iter().any(|d| digests.contains(d));
        let keys: BTreeSet<Vec<u8>> =
            primaries.iter().filter(is_in).map(|key| key.as_bytes().to_vec()).collect();
        if !digests.is_empty() {
            let keys = keys.into_iter().collect();
            files.insert(TreeFile::Keys(*name), v1::PrimaryKeys { keys }.encode_to_vec());
        }
    }
    let long = values.into_iter().filter(|(_, value)| value.len() > tree::MAX_INLINE_VALUE);
    files.extend(long.map(|(name, value)| (TreeFile::Value(name), value)));
    Published { root, files, primaries }
}

/// Reads, and adds what is missing until nothing is. Returns the number of rounds too.
fn read<T>(
    held: &mut Held,
    published: &Published,
    read: impl Fn(&Held) -> Result<T, HeldError>,
) -> Result<(T, usize), HeldError> {
    for round in 0.. {
        let missing = match read(held) {
            Err(HeldError::Missing(missing)) => missing,
            done => return done.map(|answer| (answer, round)),
        };
        for file in missing {
            held.add(&file, &published.files[&file])?;
        }
    }
    unreachable!()
}

fn hits() -> Vec<u32> {
    (0..POSTS).filter(|i| i % 7 != 0 && i % 11 != 0).collect()
}

#[test]
fn names_of_files() {
    for file in publish().files.keys() {
        assert_eq!(TreeFile::of_file(&file.file()), Some(*file));
    }
    for name in ["published", "pages/1", "values/x-00", "objects/00", "keys"] {
        assert_eq!(TreeFile::of_file(name), None);
    }
}

#[test]
fn keys_are_read_and_shown_to_be_absent() {
    let published = publish();
    let mut held = Held::default();
    let (found, rounds) =
        read(&mut held, &published, |h| h.get(published.root, &post(30))).unwrap();
    assert_eq!(found.value, Some(content(30)));
    assert!(rounds > 1);
    let absent = Key::shared(b"absent").unwrap();
    let (answer, _) = read(&mut held, &published, |h| h.get(published.root, &absent)).unwrap();
    assert_eq!((answer.entry, answer.value), (None, None));
    let keys = [post(1), post(2), absent, post(1_500)];
    let many = |h: &Held| h.get_many(published.root, &keys, true);
    let (many, _) = read(&mut held, &published, many).unwrap();
    let present: Vec<bool> = many.entries.values().map(Option::is_some).collect();
    assert_eq!(many.entries.len(), 4);
    assert_eq!(present.iter().filter(|present| **present).count(), 3);
    assert_eq!(many.values.len(), 3);
}

#[test]
fn all_parts_of_a_range_are_read() {
    let published = publish();
    let mut expected: Vec<Key> = published.primaries.clone();
    expected.sort();
    for reverse in [false, true] {
        let mut held = Held::default();
        let keys = Key::owned(0, b"").unwrap()..Key::owned(3, b"").unwrap();
        let mut query = RangeQuery { reverse, ..RangeQuery::new(keys, 300).with_values() };
        let mut found = Vec::new();
        loop {
            let (part, _) =
                read(&mut held, &published, |h| h.range(published.root, &query)).unwrap();
            assert!(part.entries.len() == 300 || part.next.is_none());
            assert!(part
                .entries
                .iter()
                .all(|e| part.values.contains_key(&ValueName::of_entry(e).unwrap())));
            found.extend(part.entries.iter().map(|entry| entry.key));
            let Some(next) = part.next else { break };
            query = query.page(next);
        }
        if reverse {
            found.reverse();
        }
        assert_eq!(found, expected);
        let other = PageToken { root: F::from(1u64), key: post(5) };
        assert!(matches!(held.range(published.root, &query.page(other)), Err(HeldError::Query)));
    }
}

#[test]
fn current_entries_are_found_by_their_marks() {
    let published = publish();
    for reverse in [false, true] {
        let mut held = Held::default();
        let query = FindQuery::new(b"cats", 400).unwrap();
        let mut query = query.with(|range| RangeQuery { reverse, ..range }.with_values());
        let mut found = Vec::new();
        loop {
            let (part, _) =
                read(&mut held, &published, |h| h.find(published.root, &query)).unwrap();
            assert!(part.hits.len() == 400 || part.next.is_none());
            let number = |hit: &Hit| hit.entry.stamp.ts as u32 - 1;
            for hit in &part.hits {
                let name = ValueName::of_entry(&hit.entry).unwrap();
                assert_eq!(part.values[&name], content(number(hit)));
            }
            found.extend(part.hits.iter().map(number));
            let Some(next) = part.next else { break };
            query = query.with(|range| range.page(next));
        }
        if reverse {
            found.reverse();
        }
        assert_eq!(found, hits());
    }
    let none = FindQuery::new(b"dogs", 9).unwrap();
    let (none, _) =
        read(&mut Held::default(), &published, |h| h.find(published.root, &none)).unwrap();
    assert_eq!((none.hits, none.next), (Vec::new(), None));
}

#[test]
fn a_first_part_needs_few_files() {
    let published = publish();
    let mut held = Held::default();
    let query = FindQuery::new(b"cats", 5).unwrap();
    let (part, _) = read(&mut held, &published, |h| h.find(published.root, &query)).unwrap();
    assert_eq!(part.hits.len(), 5);
    assert!(held.pages.len() * 4 < published.files.len(), "{} pages", held.pages.len());
}

#[test]
fn altered_files_are_refused() {
    let published = publish();
    let query = FindQuery::new(b"cats", 20).unwrap().with(RangeQuery::with_values);
    let kinds: [fn(&TreeFile) -> bool; 3] = [
        |file| matches!(file, TreeFile::Page(_)),
        |file| matches!(file, TreeFile::Value(_)),
        |file| matches!(file, TreeFile::Keys(_)),
    ];
    for altered in kinds {
        for at in [0, 1, 2, 5, 40, 90, 300, usize::MAX] {
            let mut lie =
                Published { files: published.files.clone(), primaries: vec![], ..published };
            for (_, content) in lie.files.iter_mut().filter(|(file, _)| altered(file)) {
                let at = at.min(content.len() - 1);
                content[at] ^= 1;
            }
            let answer = read(&mut Held::default(), &lie, |h| h.find(lie.root, &query));
            assert!(answer.is_err(), "byte {at}");
        }
    }
}

#[test]
fn files_of_primary_keys_have_all_keys_and_no_other() {
    let published = publish();
    let (file, content) =
        published.files.iter().find(|(file, _)| matches!(file, TreeFile::Keys(_))).unwrap();
    let TreeFile::Keys(page) = file else { unreachable!() };
    let keys = v1::PrimaryKeys::decode(content.as_slice()).unwrap().keys;
    let refused = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut held = Held::default();
        held.add(&TreeFile::Page(*page), &published.files[&TreeFile::Page(*page)]).unwrap();
        let mut keys = keys.clone();
        change(&mut keys);
        held.add(file, &v1::PrimaryKeys { keys }.encode_to_vec()).is_err()
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|keys| keys.truncate(keys.len() - 1)));
    assert!(refused(&|keys| keys.clear()));
    assert!(refused(&|keys| keys.reverse()));
    assert!(refused(&|keys| keys.push(Key::shared(b"zebra").unwrap().as_bytes().to_vec())));
    assert!(refused(&|keys| *keys.last_mut().unwrap() = keys[0].clone()));
    assert!(refused(&|keys| keys.last_mut().unwrap().truncate(92)));
}

#[test]
fn an_answer_lacks_values_that_are_withheld() {
    let published = publish();
    let mut held = Held::default();
    let root = published.root;
    let without = |name: ValueName, held: &mut Held| held.withhold(name);
    let answer = loop {
        match held.get(root, &post(30)) {
            Err(HeldError::Missing(missing)) => {
                for file in missing {
                    match file {
                        TreeFile::Value(name) => without(name, &mut held),
                        file => held.add(&file, &published.files[&file]).unwrap(),
                    }
                }
            }
            answer => break answer.unwrap(),
        }
    };
    assert!(answer.entry.is_some());
    assert_eq!(answer.value, None);
    held.make_room();
    assert!(matches!(held.get(root, &post(30)), Err(HeldError::Missing(_))));
    held.bytes = MAX_HELD_BYTES + 1;
    held.make_room();
    assert_eq!((held.bytes(), held.pages.len()), (0, 0));
}
