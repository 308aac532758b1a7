//! The numbers of the worked example in `docs/concepts.md`, recomputed.

use rootfold_core::{
    eddsa::SecretKey,
    field,
    item::Entry,
    key::Key,
    log::{Op, SignedOp, Tip},
    space::{Genesis, Sharing},
    tree::{self, chain::node_digest},
    value::value_digest,
    F,
};

const BOOK: &str = include_str!("../../../docs/concepts.md");

/// The page has this number in its table of full numbers.
fn in_the_book(what: &str, number: &F) {
    let digits = field::to_hex(number);
    assert!(BOOK.contains(&format!("| `{digits}` |")), "docs/concepts.md: {what} is {digits}");
}

fn secret(writer: u8) -> SecretKey {
    let mut bytes = [7u8; 32];
    bytes[..4].copy_from_slice(&[0, 0, 0, writer]);
    SecretKey::from_bytes(bytes)
}

#[test]
fn the_numbers_of_the_worked_example() {
    let salt = "090e435384e9748c6270a8e2e7cf4ed11ef1686769d73d3861ef027269bcb76f";
    let salt = field::from_hex(salt).unwrap();
    in_the_book("the salt", &salt);
    let secrets = [secret(0), secret(1)];
    let genesis =
        Genesis::new(salt, Sharing::Everyone, secrets.iter().map(SecretKey::public_key).collect())
            .unwrap();
    in_the_book("the space id", &genesis.space_id());

    let mut tips: Vec<Tip> = genesis.heads().into_iter().map(|(_, tip)| tip).collect();
    for tip in &tips {
        in_the_book("x of a public key", &tip.head.public_key.x);
        in_the_book("y of a public key", &tip.head.public_key.y);
        in_the_book("a first head", &tip.head.head);
    }
    let ops = [
        (0, 117_680_186_982_137_856, "milk", "1 litre"),
        (0, 117_680_186_986_397_696, "tea", "green"),
        (1, 117_680_186_988_756_992, "milk", "2 litres"),
    ];
    let mut entries = Vec::new();
    for (writer, ts, key, value) in ops {
        assert!(BOOK.contains(&format!("| `{ts}` |")), "docs/concepts.md: ts {ts}");
        let key = Key::shared(key.as_bytes()).unwrap();
        let op = Op { more: false, ts, key, value: value_digest(value.as_bytes()) };
        let index = writer as usize;
        tips[index] = SignedOp::sign(&tips[index], writer, op, &secrets[index]).unwrap().1;
        in_the_book("a key digest", &key.digest());
        in_the_book("a value digest", &op.value);
        in_the_book("an item", &op.item(writer));
        in_the_book("a head", &tips[index].head.head);
        entries.push(op.entry(writer));
    }
    // The later op on `milk` wins, and `milk` is before `tea`.
    let (milk, tea) = (entries[2], entries[1]);
    let heads = [tips[0].entry(0), tips[1].entry(1)];
    for head in &heads {
        in_the_book("the value of a head entry", &head.value);
        in_the_book("the item of a head entry", &head.item());
    }
    let fences = Entry::fences();
    let (start, end) = (Entry::start_sentinel(), Entry::end_sentinel());
    let entries = [start, heads[0], heads[1], fences[0], milk, tea, fences[1], fences[2], end];
    let items = entries.map(|entry| entry.item());
    for (what, at) in [("start sentinel", 0), ("first fence", 3), ("second fence", 6)] {
        in_the_book(&format!("the {what}'s item"), &items[at]);
    }
    // `tea` has height 1 and ends a node, as does a fence.
    in_the_book("the node of the heads", &node_digest(0, items[..4].iter().copied()));
    in_the_book("the node up to `tea`", &node_digest(0, items[4..6].iter().copied()));
    in_the_book("the node of the second fence", &node_digest(0, items[6..7].iter().copied()));
    let built = tree::build(&entries);
    assert_eq!(built.pages.len(), 17);
    // The pages above `tea`.
    for page in tree::range_pages(&store(&built), built.root, tea.key..=tea.key).unwrap() {
        in_the_book("a page", &page);
    }
    in_the_book("the root", &built.root);
}

fn store(built: &tree::Update) -> tree::MemoryStore {
    let mut store = tree::MemoryStore::default();
    store.apply(built);
    store
}
