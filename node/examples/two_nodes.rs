//! Node A writes, proves and serves a space; node B bootstraps from it with nothing but an invite.
//! `cargo run --release --example two_nodes` takes about a minute, and some more the first time: it
//! makes development parameters of profile `small` in `ROOTFOLD_PARAMS_DIR`.

use std::{env, error::Error, future::pending, path::PathBuf, sync::Arc};

use rand::rngs::OsRng;
use rootfold_core::{
    eddsa::SecretKey,
    field,
    key::Key,
    space::{Genesis, Sharing},
    step::SMALL,
    F,
};
use rootfold_light::{
    invite::Invite,
    query::At,
    signing::{compose, Change, OWNER},
};
use rootfold_node::{
    bootstrap::{self, Bootstrap},
    data_dir::DataDir,
    prove::Prover,
    server::Server,
    space::EpochLimits,
};
use rootfold_prover::engine;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let params = env::temp_dir().join("rootfold-params");
    let cache = env::var_os("ROOTFOLD_PARAMS_DIR").map_or(params, PathBuf::from);
    let parameters = Arc::new(engine::load_or_generate(&cache, &SMALL, &mut |_| {})?);
    let key = parameters.verifying_key().clone();
    let dir = tempfile::tempdir()?;

    // A writes: its owner signs one op, and the node ingests it.
    let owner = SecretKey::random(&mut OsRng);
    let a = DataDir::new(dir.path().join("a"));
    let genesis = Genesis::new(F::from(1u64), Sharing::Everyone, vec![owner.public_key()])?;
    let space = a.create(&genesis)?;
    let tip = space.tip(OWNER).ok_or("the owner has a log")?;
    let colour = Key::shared(b"colour")?;
    let change = Change::new(colour, Some(b"green".to_vec()), 0);
    space.ingest(&compose(&tip, OWNER, &owner, vec![change])?.0)?;

    // A proves that its root is the fold of all ops, and serves.
    let mut prover = Prover::open(space.clone(), &a, parameters)?;
    prover.prove(EpochLimits::default(), None, &())?;
    println!("A: {}", prover.publish(&())?.0.header);
    let invite = Invite { space: space.id(), parameters: key.id() };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let peers = vec![listener.local_addr()?.to_string()];
    tokio::spawn(Server::new(space, Some(Arc::new(key))).run(listener, pending()));

    // B verifies the proof, and every page and value under its root.
    let b = DataDir::new(dir.path().join("b"));
    let job = Bootstrap { peers, invite, data_dir: b.clone(), key: None };
    let report = bootstrap::run(job, &()).await?;
    println!("B: root {} from {} bytes", field::to_hex(&report.root), report.bytes);
    let found = b.open()?.get(At::Latest, &colour)?.and_then(|found| found.value);
    println!("B: colour is {:?}", String::from_utf8_lossy(&found.unwrap_or_default()));
    Ok(())
}
