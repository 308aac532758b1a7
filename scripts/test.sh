#!/usr/bin/env bash
# All checks and tests, in the order in which they fail fastest. `make test` and `.ci/run` call this.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

# Development parameters that tests make are kept between runs, beside the build.
target=${CARGO_TARGET_DIR:-$PWD/target}
export ROOTFOLD_PARAMS_DIR=${ROOTFOLD_PARAMS_DIR:-$target/tmp/rootfold-params}

tree_state() { git status --porcelain --untracked-files=all 2>/dev/null || true; }
before=$(tree_state)

say "format"
cargo fmt --all -- --check

say "links in the documents"
scripts/check-links.sh

say "clippy"
cargo clippy --release --workspace --all-targets -- -D warnings

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --quiet

say "verifier for the browser"
if [[ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]]; then
    cargo check --release -p rootfold-verifier --target wasm32-unknown-unknown
else
    echo "NOT CHECKED: the target is not installed (rustup target add wasm32-unknown-unknown)"
fi

say "system packages in a bare Debian"
scripts/check-bare-debian.sh

say "tests"
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --release --workspace --no-fail-fast
else
    cargo test --release --workspace --lib --bins --tests --no-fail-fast
fi

say "examples in the documentation"
cargo test --release --workspace --doc --quiet

say "the working tree is as it was"
if [[ "$(tree_state)" != "$before" ]]; then
    echo "the tests left something behind:" >&2
    diff <(echo "$before") <(tree_state) >&2 || true
    exit 1
fi
echo "all passed"
