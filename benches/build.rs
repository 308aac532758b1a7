//! Passes the compiler's version and flags to the report, as environment variables.

use std::{env, process::Command};

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo::rustc-env=REPORT_RUSTC={}", version.unwrap_or_default());
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().replace('\x1f', " ");
    println!("cargo::rustc-env=REPORT_RUSTFLAGS={flags}");
    let optimised = env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=REPORT_OPT_LEVEL={optimised}");
    println!("cargo::rerun-if-changed=build.rs");
}
