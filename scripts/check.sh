#!/usr/bin/env bash
# The checks that take minutes: `make check`. `make test` runs them first.
#
#   check.sh [files|code] [CARGO OPTIONS]
#
#   files   format; links, floors, circles of imports, words and rules (the crate tidy/)
#   code    clippy, documentation, unit tests; options like --features go to cargo
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

what=all
if [[ ${1:-} == files || ${1:-} == code ]]; then
    what=$1
    shift
fi

if [[ $what != code ]]; then
    say "format"
    cargo fmt --all -- --check

    say "links, floors, circles of imports, words, rules"
    cargo test --release --quiet -p rootfold-tidy
fi

if [[ $what != files ]]; then
    say "clippy"
    cargo clippy --release --workspace --all-targets "$@" -- -D warnings

    say "documentation"
    RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --quiet "$@"

    say "unit tests"
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --release --workspace --lib --no-fail-fast --status-level fail "$@"
    else
        cargo test --release --workspace --lib --no-fail-fast --quiet "$@"
    fi
fi
