//! Seeds of all targets that are not messages.

use rootfold_core::{
    eddsa::{PublicKey, BASE8},
    field,
    head::Head,
    key::Key,
    mark::Mark,
    replacement::Replacement,
    space::Genesis,
    tree::Page,
    F,
};
use rootfold_light::snapshot::{Snapshot, SnapshotHeader};
use rootfold_node::store::records;

use super::{honest_seed, hostile_seed, Seeds};
use crate::honest::{header, honest, invite, HEADER, PROOF, PROOF_ALIAS, VERIFYING_KEY};

/// A copy of `bytes` in which `new` replaces the bytes from position `at` on.
fn with(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

pub(super) fn add(seeds: &mut Seeds) {
    keys(seeds);
    signatures(seeds);
    ops(seeds);
    pages(seeds);
    spaces(seeds);
    proofs(seeds);
    snapshots(seeds);
    programs(seeds);
}

fn keys(seeds: &mut Seeds) {
    let user = Key::shared(b"colour").expect("the key is short");
    for (what, key) in [
        ("user", user),
        ("head", Key::head(7)),
        ("replacement", Key::replacement(7)),
        ("start", Key::START),
        ("end", Key::END),
    ] {
        honest_seed(seeds, "key", what, key.as_bytes());
    }
    let own = Key::owned(7, b"colour").expect("the key is short");
    honest_seed(seeds, "key", "owned", own.as_bytes());
    let mark = Mark::new(b"cats", b"1").expect("the term is short");
    honest_seed(seeds, "key", "index", mark.key(&own).as_bytes());
    // A nonzero padding byte, and a length byte larger than the maximum.
    honest_seed(seeds, "key", "irregular", with(user.as_bytes(), 50, &[1]));
    honest_seed(seeds, "key", "length", with(user.as_bytes(), 92, &[92]));
    hostile_seed(seeds, "key", "cut", &user.as_bytes()[..92]);
}

fn signatures(seeds: &mut Seeds) {
    let owner = honest().tips[&0].head.public_key;
    honest_seed(seeds, "public_key", "", owner.to_bytes());
    let small = PublicKey { x: F::from(0u64), y: -F::from(1u64) };
    hostile_seed(seeds, "public_key", "small-order", small.to_bytes());
    let off = PublicKey { x: owner.x + F::from(1u64), y: owner.y };
    hostile_seed(seeds, "public_key", "off-curve", off.to_bytes());
    hostile_seed(seeds, "public_key", "not-reduced", [0xff; 64]);

    let signed = honest().next_of(0).0.ops[0];
    let signature = signed.signature.expect("the owner signs every op").to_bytes();
    honest_seed(seeds, "signature", "", signature);
    hostile_seed(seeds, "signature", "other-nonce-point", with(&signature, 0, &BASE8.to_bytes()));
    hostile_seed(seeds, "signature", "scalar-not-reduced", with(&signature, 64, &[0xff; 32]));
    hostile_seed(seeds, "signature", "zero", [0; 96]);
}

fn ops(seeds: &mut Seeds) {
    let unsigned = honest().next_of(crate::honest::ADMITTED).0.ops[0];
    let signed = honest().next_of(0).0.ops[0];
    let bytes = signed.op.to_bytes();
    honest_seed(seeds, "op", "", bytes);
    honest_seed(seeds, "op", "grant", with(&bytes, 8, Key::head(9).as_bytes()));
    honest_seed(seeds, "op", "end-of-time", with(&bytes, 0, &[0xff; 8]));
    hostile_seed(seeds, "op", "value-not-reduced", with(&bytes, bytes.len() - 33, &[0xff; 32]));

    honest_seed(seeds, "stored_op", "", records::encode_op(&signed, &F::from(7u64)));
    honest_seed(seeds, "stored_op", "unsigned", records::encode_op(&unsigned, &F::from(7u64)));
    let cut = records::encode_op(&signed, &F::from(7u64));
    hostile_seed(seeds, "stored_op", "half-a-signature", &cut[..200]);
    let tip = honest().tips[&0];
    honest_seed(seeds, "stored_tip", "", records::encode_tip(&tip));
    hostile_seed(seeds, "stored_tip", "cut", &records::encode_tip(&tip)[..171]);
    honest_seed(seeds, "stored_op_key", "", records::op_key(7, u64::MAX));
    hostile_seed(seeds, "stored_op_key", "cut", [0; 11]);

    honest_seed(seeds, "head", "", tip.head.to_bytes());
    let beyond = Head { seq: F::from(1u128 << 64), ..tip.head };
    honest_seed(seeds, "head", "seq-out-of-range", beyond.to_bytes());
    hostile_seed(seeds, "head", "not-reduced", [0xff; 160]);
    let public_key = tip.head.public_key;
    let new = Replacement::Head { writer: 7, before: tip, public_key, shared: true };
    honest_seed(seeds, "replacement", "", new.to_bytes());
    honest_seed(seeds, "replacement", "owner", Replacement::OwnerKey(public_key).to_bytes());
    let closed = PublicKey::CLOSED;
    let new = Replacement::Head { writer: 7, before: tip, public_key: closed, shared: false };
    honest_seed(seeds, "replacement", "closed", new.to_bytes());
    let new = Replacement::Head { writer: 0, before: tip, public_key, shared: true };
    hostile_seed(seeds, "replacement", "of-the-owner", new.to_bytes());
    hostile_seed(seeds, "replacement", "cut", new.to_bytes()[..240].to_vec());
}

fn pages(seeds: &mut Seeds) {
    for (page, bytes) in honest().pages.values() {
        honest_seed(seeds, "page", &format!("rank-{}", page.rank()), bytes.clone());
    }
    let of = |rank: u8| honest().pages.values().find(|(page, _)| page.rank() == rank);
    let (leaf, bytes) = of(0).expect("the tree has leaves");
    hostile_seed(seeds, "page", "count-of-all", with(bytes, 2, &[0xff; 4]));
    hostile_seed(seeds, "page", "count-of-one-more", with(bytes, 5, &[leaf.len() as u8 + 1]));
    hostile_seed(seeds, "page", "rank-of-none", with(bytes, 1, &[5]));
    hostile_seed(seeds, "page", "empty", [2, 0, 0, 0, 0, 0]);
    let mut twice = leaf.entries().to_vec();
    twice.insert(1, twice[1]);
    hostile_seed(seeds, "page", "a-key-twice", Page::Leaf(twice).encode(&|_| None));
    let (root, bytes) = of(4).expect("the tree has a root page");
    let high = with(bytes, 6 + 32, &[13]);
    hostile_seed(seeds, "page", "height-beyond-the-root", high);
    let children = root.children().to_vec();
    let low = Page::Internal { rank: 1, children };
    hostile_seed(seeds, "page", "children-of-another-rank", low.encode(&|_| None));
}

fn spaces(seeds: &mut Seeds) {
    let genesis = honest().genesis.to_bytes();
    honest_seed(seeds, "genesis", "", genesis.clone());
    hostile_seed(seeds, "genesis", "count-of-all", with(&genesis, 32, &[0xff; 4]));
    hostile_seed(seeds, "genesis", "no-writer", with(&genesis[..36], 32, &[0; 4]));
    let small = PublicKey { x: F::from(0u64), y: F::from(1u64) };
    let anybody = Genesis { writers: vec![small], ..honest().genesis.clone() };
    hostile_seed(seeds, "genesis", "a-key-of-small-order", anybody.to_bytes());

    let text = invite().to_string();
    honest_seed(seeds, "invite", "", text.clone());
    hostile_seed(seeds, "invite", "capitals", text.to_uppercase().replace("ROOTFOLD", "rootfold"));
    hostile_seed(seeds, "invite", "signs", text.replace('0', "+"));
    hostile_seed(seeds, "invite", "one-part-more", format!("{text}:"));
    hostile_seed(seeds, "invite", "wide-letters", text.replace("00", "é"));
    let beyond = format!("rootfold1:{}:{}", "f".repeat(64), "0".repeat(64));
    hostile_seed(seeds, "invite", "space-not-reduced", beyond);
    let id = invite().parameters.to_string();
    hostile_seed(seeds, "parameter_id", "capitals", id.to_uppercase());
    hostile_seed(seeds, "parameter_id", "cut", &id[1..]);
    honest_seed(seeds, "parameter_id", "", id);
}

fn proofs(seeds: &mut Seeds) {
    honest_seed(seeds, "verifying_key", "", VERIFYING_KEY);
    hostile_seed(seeds, "verifying_key", "name-of-all", with(VERIFYING_KEY, 9, &[0xff; 8]));
    hostile_seed(seeds, "verifying_key", "name-of-a-path", with(VERIFYING_KEY, 17, b"../"));
    let elements = VERIFYING_KEY.len() - 3 * 64 - 5 * 128;
    hostile_seed(seeds, "verifying_key", "infinity", with(VERIFYING_KEY, elements, &[0; 64]));
    let gamma = VERIFYING_KEY[elements + 192..elements + 320].to_vec();
    let same = with(VERIFYING_KEY, elements + 320, &gamma);
    hostile_seed(seeds, "verifying_key", "gamma-is-delta", same);

    honest_seed(seeds, "proof", "", PROOF);
    hostile_seed(seeds, "proof", "cut", &PROOF[..2_000]);
    honest_seed(seeds, "altered_proof", "unaltered", []);
    // See `altered_proof`: negating both A and B gives another valid proof.
    honest_seed(seeds, "altered_proof", "malleable", [0, 10, 3, 0, 0, 0, 0, 11, 3, 0, 0, 0]);
    hostile_seed(seeds, "altered_proof", "more-steps", [0, 0, 4, 0, 0, 1]);
    hostile_seed(seeds, "altered_proof", "infinity", [0, 10, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0]);
    hostile_seed(seeds, "altered_proof", "swapped", [0, 13, 1, 0, 14, 0, 0, 14, 1, 0, 12, 0]);
    hostile_seed(seeds, "altered_proof", "witness", [1, 0, 4, 0, 0, 1]);
    hostile_seed(seeds, "altered_proof", "u-is-zero", [0, 4, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0]);
}

fn snapshots(seeds: &mut Seeds) {
    honest_seed(seeds, "snapshot_header", "", HEADER);
    let other = SnapshotHeader { ops: header().ops + 1, ..header() };
    hostile_seed(seeds, "snapshot_header", "one-op-more", other.to_bytes());
    hostile_seed(seeds, "snapshot_header", "space-not-reduced", with(HEADER, 0, &[0xff; 32]));

    let file = |header, proof: &[u8]| Snapshot { header, proof: proof.to_vec() }.to_bytes();
    let honest_file = file(header(), PROOF_ALIAS);
    honest_seed(seeds, "snapshot_file", "", honest_file.clone());
    let genesis = SnapshotHeader::genesis(honest().space.id());
    honest_seed(seeds, "snapshot_file", "genesis", file(genesis, &[]));
    let named = SnapshotHeader { parameters: header().parameters, ..genesis };
    hostile_seed(seeds, "snapshot_file", "genesis-with-parameters", file(named, &[]));
    hostile_seed(seeds, "snapshot_file", "one-op-more", file(other, PROOF_ALIAS));
    let root = SnapshotHeader { root: header().root + F::from(1u64), ..header() };
    hostile_seed(seeds, "snapshot_file", "another-root", file(root, PROOF_ALIAS));
    let unproved = SnapshotHeader { ops: 0, steps: 0, ..header() };
    hostile_seed(seeds, "snapshot_file", "a-root-without-steps", file(unproved, &[]));
    let at = honest_file.len() - PROOF_ALIAS.len() - 4;
    hostile_seed(seeds, "snapshot_file", "proof-of-all", with(&honest_file, at, &[0xff; 4]));
    debug_assert_eq!(field::to_bytes(&header().space), HEADER[..32]);
}

/// Programs of the target [`writer`](crate::writer). A submission begins with its number of batches
/// less one. A batch begins with the index of its writer, a gap and its number of ops less one. An
/// op consists of its form, an operand and a byte that says whether it is signed.
fn programs(seeds: &mut Seeds) {
    let put = [0xc0, 65, 1];
    let one = |writer: u8, op: &[u8]| [&[0, writer, 0, 0][..], op].concat();
    honest_seed(seeds, "writer", "put", one(0, &put));
    honest_seed(seeds, "writer", "grant-and-first-op", [one(0, &[4, 8, 1]), one(3, &put)].concat());
    honest_seed(seeds, "writer", "grant-of-a-full-log", one(0, &[0x44, 8, 1]));
    honest_seed(seeds, "writer", "grant-beyond-all-ops", one(0, &[0x64, 9, 1]));
    honest_seed(seeds, "writer", "end-of-time", one(1, &[0xd8, 0, 1]));
    let both = [&[1, 0, 0, 0, 4, 8, 1, 3, 0, 0][..], &put].concat();
    honest_seed(seeds, "writer", "grant-and-first-op-at-once", both);
    honest_seed(seeds, "writer", "owned", one(0, &[0xc2, 0, 1]));
    let marked = [0, 0, 0, 1, 0xc0, 15, 0, 0x83, 9, 1];
    honest_seed(seeds, "writer", "a-group-with-a-mark", marked);
    hostile_seed(seeds, "writer", "a-group-that-is-cut", one(0, &[0xc0, 15, 1]));
    hostile_seed(seeds, "writer", "a-mark-alone", one(0, &[0x83, 9, 1]));
    hostile_seed(seeds, "writer", "owned-by-another", one(0, &[0xc2, 1, 1]));
    hostile_seed(seeds, "writer", "unsigned", one(0, &[0xc0, 65, 0]));
    hostile_seed(seeds, "writer", "not-admitted", one(3, &put));
    hostile_seed(seeds, "writer", "grant-by-another", one(1, &[4, 8, 1]));
    hostile_seed(seeds, "writer", "grant-again", one(0, &[4, 1, 1]));
    hostile_seed(seeds, "writer", "end-sentinel", one(0, &[0xc6, 200, 1]));
    hostile_seed(seeds, "writer", "dated-back", one(0, &[0xd0, 9, 1]));
    hostile_seed(seeds, "writer", "a-value-that-nobody-has", one(0, &[0xa0, 9, 1]));
}
