#!/usr/bin/env bash
# The checks that take minutes: `make check`. `make test` runs them first.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

say "format"
cargo fmt --all -- --check

say "links, floors, circles of imports, words, rules"
cargo test --release --quiet -p rootfold-tidy

say "clippy"
cargo clippy --release --workspace --all-targets -- -D warnings

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --quiet

say "unit tests"
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --release --workspace --lib --no-fail-fast --status-level fail
else
    cargo test --release --workspace --lib --no-fail-fast --quiet
fi
