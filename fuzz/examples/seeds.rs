//! Writes the seeds in `fuzz/corpus`.
//!
//! With `--prove`, it first makes a new proof of the honest space. This is necessary after a change
//! of the honest space or of the format of proofs, verifying keys or headers. It takes about a
//! minute, and longer if `ROOTFOLD_PARAMS_DIR` has no parameters of the profile `small`.

use std::{env, fs, path::PathBuf, process::Command, sync::Arc};

use anyhow::{ensure, Context};
use clap::Parser;
use rootfold_core::step::SMALL;
use rootfold_fuzz::{honest::honest, seeds};
use rootfold_node::{data_dir::DataDir, prove::Prover, space::EpochLimits};
use rootfold_prover::engine;

/// Writes the seeds in `fuzz/corpus`.
#[derive(Parser)]
struct Arguments {
    /// Make a new proof of the honest space first.
    #[arg(long)]
    prove: bool,
}

fn main() -> anyhow::Result<()> {
    if Arguments::parse().prove {
        prove()?;
        // The proof is compiled in. A new build of this program makes the seeds from the new proof.
        let built = Command::new(env!("CARGO"))
            .args(["run", "--release", "-p", env!("CARGO_PKG_NAME"), "--example", "seeds"])
            .status()?;
        ensure!(built.success(), "making the seeds failed");
        return Ok(());
    }
    for ((target, name), bytes) in seeds::all() {
        write(target, &name, &bytes)?;
    }
    Ok(())
}

fn write(target: &str, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = seeds::folder().join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes).with_context(|| format!("writing {target}/{name}"))
}

/// Proves all ops of the honest space in one epoch. Writes the proof, the verifying key and the
/// header.
fn prove() -> anyhow::Result<()> {
    let params_dir = env::var_os("ROOTFOLD_PARAMS_DIR")
        .map_or_else(|| env::temp_dir().join("rootfold-params"), PathBuf::from);
    let parameters = Arc::new(engine::load_or_generate(&params_dir, &SMALL, &mut |_| {})?);
    let running = tempfile::tempdir()?;
    let data = DataDir::new(running.path());
    let mut prover = Prover::open(honest().copy(), &data, parameters.clone())?;
    prover.prove(EpochLimits::default(), None, &())?;
    let (snapshot, _) = prover.publish(&())?;
    ensure!(
        snapshot.header.root == honest().space.status().root,
        "the proof does not cover all ops"
    );
    write("proof", "honest", &snapshot.proof)?;
    write("verifying_key", "honest", &parameters.verifying_key().key().encode())?;
    write("snapshot_header", "honest", &snapshot.header.to_bytes())
}
