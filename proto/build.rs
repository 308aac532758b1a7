//! Generates code from the `.proto` files with protox in place of protoc, and writes their descriptors
//! for reflection and for counting elements.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

const FILES: [&str; 7] = [
    "rootfold/v1/types.proto",
    "rootfold/v1/replication.proto",
    "rootfold/v1/verification.proto",
    "rootfold/v1/query.proto",
    "rootfold/v1/proving.proto",
    "rootfold/v1/peering.proto",
    "rootfold/v1/files.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("rootfold_v1_descriptors.bin");
    fs::write(out, descriptors.encode_to_vec())?;
    let mut config = prost_build::Config::new();
    // Elements are counted by the names of messages.
    config.enable_type_names();
    generate(descriptors, config)
}

#[cfg(feature = "services")]
fn generate(files: FileDescriptorSet, config: prost_build::Config) -> Result<(), Box<dyn Error>> {
    tonic_prost_build::configure()
        .codec_path("crate::codec::LimitedCodec")
        .compile_fds_with_config(files, config)?;
    Ok(())
}

#[cfg(not(feature = "services"))]
fn generate(
    files: FileDescriptorSet,
    mut config: prost_build::Config,
) -> Result<(), Box<dyn Error>> {
    config.compile_fds(files)?;
    Ok(())
}
