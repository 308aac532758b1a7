//! Checks a snapshot and an answer under its root, as a client does that trusts no node:
//! `cargo run --release --example check_answer`.
//!
//! The bytes are those that an honest node sent: seeds of the fuzz targets.

use std::error::Error;

use prost::bytes::Bytes;
use rootfold_core::key::Key;
use rootfold_light::{
    answer::check_range,
    invite::Invite,
    query::RangeQuery,
    snapshot::{Snapshot, SnapshotHeader},
    values::ValueName,
    verify::verify,
};
use rootfold_proto::{decode, v1};
use rootfold_verifier::{PreparedVerifyingKey, VerifyingKey};

const INVITE: &str = include_str!("../../fuzz/corpus/invite/honest");
const VERIFYING_KEY: &[u8] = include_bytes!("../../fuzz/corpus/verifying_key/honest");
const HEADER: &[u8] = include_bytes!("../../fuzz/corpus/snapshot_header/honest");
const PROOF: &[u8] = include_bytes!("../../fuzz/corpus/proof/honest");
const REPLY: &[u8] = include_bytes!("../../fuzz/corpus/range_response/honest");

fn main() -> Result<(), Box<dyn Error>> {
    // The invite comes from somebody whom the client trusts; all else comes from a node.
    let invite: Invite = INVITE.parse()?;
    let key = PreparedVerifyingKey::new(VerifyingKey::decode(VERIFYING_KEY)?)?;
    let snapshot = Snapshot { header: SnapshotHeader::from_bytes(HEADER)?, proof: PROOF.to_vec() };
    verify(&snapshot, &invite, Some(&key))?;
    println!("snapshot accepted: {}", snapshot.header);

    let query = RangeQuery::new(Key::START..Key::END, 1000);
    let response = decode::<v1::RangeResponse>(Bytes::from_static(REPLY))?;
    let answer = check_range(&query, response.clone())?;
    if answer.state.root != snapshot.header.root {
        return Err("the answer belongs to another root than the proof".into());
    }
    println!(
        "answer accepted: {} entries from {} pages",
        answer.entries.len(),
        response.pages.len()
    );
    for entry in &answer.entries {
        let Some(key) = entry.key.application_key() else { continue };
        let (key, writer) = (String::from_utf8_lossy(key.bytes), entry.stamp.writer);
        match ValueName::of_entry(entry).map(|name| answer.values.get(&name)) {
            Some(Some(value)) => {
                println!("  {key}: {:?} by {writer}", String::from_utf8_lossy(value))
            }
            Some(None) => println!("  {key}: a value that is not inline, by {writer}"),
            None => println!("  {key}: deleted by {writer}"),
        }
    }

    // An answer that leaves out an entry does not follow from its pages.
    let mut lie = response;
    lie.entries.pop();
    match check_range(&query, lie) {
        Ok(_) => Err("an incomplete answer was accepted".into()),
        Err(e) => {
            println!("incomplete answer refused: {e}");
            Ok(())
        }
    }
}
