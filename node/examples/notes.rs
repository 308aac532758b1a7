//! An application that keeps notes: it makes a space or opens it, writes, reads, finds by tag, and sees what changes.
//! `cargo run --release --example notes -- FOLDER`. Nothing is proved here; `rootfold --data FOLDER serve --prove`
//! does that.

use std::{env, error::Error, fs, path::Path};

use rand::rngs::OsRng;
use rootfold_core::{
    eddsa::SecretKey,
    key::{ApplicationKey, Key},
    mark::Mark,
    space::{Genesis, Sharing},
    F,
};
use rootfold_light::{
    query::{At, FindQuery},
    signing::OWNER,
};
use rootfold_node::{
    data_dir::DataDir,
    private_file,
    space::{Space, Write},
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: notes FOLDER")?;
    let (space, owner) = open(&folder)?;
    let before = space.view(At::Latest)?;

    // Two changes that take effect together, here and on every other node.
    let note = |name: &str, text: &str, tag: &str| -> Result<Write, Box<dyn Error>> {
        let key = Key::owned(OWNER, name.as_bytes())?;
        let marks = vec![Mark::new(tag.as_bytes(), name.as_bytes())?];
        Ok(Write { key, value: Some(text.into()), marks })
    };
    space.write(
        OWNER,
        &owner,
        vec![note("1", "buy milk", "home")?, note("2", "call Ben", "work")?],
    )?;

    let found = space.get(At::Latest, &Key::owned(OWNER, b"1")?)?.and_then(|found| found.value);
    println!("note 1: {}", String::from_utf8_lossy(&found.unwrap_or_default()));
    for hit in space.find(At::Latest, &FindQuery::new(b"work", 32)?)?.entries {
        println!("with the tag work: {}", String::from_utf8_lossy(&hit.value.unwrap_or_default()));
    }
    let own = ApplicationKey { owner: Some(OWNER), bytes: b"" };
    let after = space.view(At::Latest)?;
    println!("changed: {} notes", space.changes(&before, &after, Some(own)).count());
    Ok(())
}

/// The space in a folder, and the key of its owner; both are made the first time.
fn open(folder: &str) -> Result<(Space, SecretKey), Box<dyn Error>> {
    let (data, file) = (DataDir::new(folder), format!("{folder}/owner.secret"));
    if data.exists() {
        let bytes = fs::read(file)?.try_into().map_err(|_| "the key has another length")?;
        return Ok((data.open()?, SecretKey::from_bytes(bytes)));
    }
    private_file::create_folder(Path::new(folder))?;
    let owner = SecretKey::random(&mut OsRng);
    let space =
        data.create(&Genesis::new(F::from(1u64), Sharing::Everyone, vec![owner.public_key()])?)?;
    // The folder is for this user alone.
    fs::write(file, &owner.to_bytes()[..])?;
    Ok((space, owner))
}
