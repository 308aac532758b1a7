#!/usr/bin/env bash
# Builds the program with RocksDB, the store for nodes with a lot of data: `make node`.
set -euo pipefail
cd "$(dirname "$0")/.."

settings=$(scripts/rocksdb.sh)
while read -r setting; do [[ -z "$setting" ]] || export "$setting"; done <<<"$settings"
cargo build --release --workspace --bin rootfold --features rootfold-node/rocksdb
echo "built: ${CARGO_TARGET_DIR:-target}/release/rootfold"
