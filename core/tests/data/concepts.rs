//! The numbers of the worked example in `docs/concepts.md`, recomputed.

use rootfold_core::{
    eddsa::SecretKey,
    field,
    item::Entry,
    key::Key,
    log::{Op, SignedOp, Tip},
    space::Genesis,
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
    let genesis = Genesis::new(salt, secrets.iter().map(SecretKey::public_key).collect()).unwrap();
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
        let key = Key::user(key.as_bytes()).unwrap();
        let op = Op { ts, key, value: value_digest(value.as_bytes()) };
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
    let entries = [Entry::start_sentinel(), heads[0], heads[1], milk, tea, Entry::end_sentinel()];
    let items = entries.map(|entry| entry.item());
    in_the_book("the start sentinel's item", &items[0]);
    in_the_book("the end sentinel's item", &items[5]);
    // `tea` has height 1 and ends a node.
    in_the_book("the first node of level 0", &node_digest(0, items[..5].iter().copied()));
    in_the_book("the second node of level 0", &node_digest(0, items[5..].iter().copied()));
    let built = tree::build(&entries);
    assert_eq!(built.pages.len(), 5);
    built.pages.iter().for_each(|(name, _)| in_the_book("a page", name));
    in_the_book("the root", &built.root);
}
