//! Compiles the `.proto` files without protoc (protox) and keeps their descriptors for reflection.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 4] = [
    "rootfold/v1/types.proto",
    "rootfold/v1/replication.proto",
    "rootfold/v1/verification.proto",
    "rootfold/v1/query.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("rootfold_v1_descriptors.bin");
    fs::write(out, descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::Config::new();
    // The codec looks a message's fields up by its name.
    config.enable_type_names();
    tonic_prost_build::configure()
        .codec_path("crate::codec::LimitedCodec")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
