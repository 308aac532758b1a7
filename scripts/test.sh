#!/usr/bin/env bash
# All checks and tests, roughly in the order in which they fail fastest. `make test` and `.ci/run`
# call this. The suite runs as users build the program, with redb. RocksDB is built in last, for the
# tests of the stores and of killed processes.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

# Development parameters that tests make are kept between runs, beside the build.
target=${CARGO_TARGET_DIR:-$PWD/target}
export ROOTFOLD_PARAMS_DIR=${ROOTFOLD_PARAMS_DIR:-$target/tmp/rootfold-params}

tree_state() { git status --porcelain --untracked-files=all 2>/dev/null || true; }
before=$(tree_state)

scripts/check.sh

say "the messages of the API"
scripts/buf.sh

say "verifier, light and wasm for the browser, in Node.js"
scripts/wasm.sh

say "the package and the board, in a browser"
scripts/web.sh --no-wasm
cargo build --release --workspace --bin rootfold
scripts/browser.sh

say "system packages in a bare Debian"
scripts/check-bare-debian.sh

# The unit tests ran above.
say "tests"
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --release --workspace --bins --test '*' --no-fail-fast
else
    cargo test --release --workspace --bins --test '*' --no-fail-fast
fi

say "published to a store of the S3 protocol"
scripts/s3.sh

say "examples"
cargo build --release --workspace --examples
"$target/release/examples/check_answer"
"$target/release/examples/two_nodes"
notes=$(mktemp -d)
"$target/release/examples/notes" "$notes/data"
"$target/release/examples/notes" "$notes/data"
rm -rf "$notes"

say "examples in the documentation"
cargo test --release --workspace --doc --quiet

say "RocksDB"
settings=$(scripts/rocksdb.sh)
# shellcheck disable=SC2163 # NAME=VALUE lines, or nothing
while read -r setting; do [[ -z "$setting" ]] || export "$setting"; done <<<"$settings"
rocksdb=(--release --workspace --features rootfold-node/rocksdb)
cargo clippy "${rocksdb[@]}" --lib -- -D warnings
cargo test "${rocksdb[@]}" --quiet --test store --test kill

say "the working tree is as it was"
if [[ "$(tree_state)" != "$before" ]]; then
    echo "the tests left something behind:" >&2
    diff <(echo "$before") <(tree_state) >&2 || true
    exit 1
fi
echo "all passed"
