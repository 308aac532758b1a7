#!/usr/bin/env bash
# Checks the .proto files with buf: its STANDARD rules, and that clients of the published messages still
# work. `--publish` makes the present messages the published ones.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.75.0
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
buf=$target/tools/buf/node_modules/.bin/buf
if [[ "$("$buf" --version 2>/dev/null)" != "$version" ]]; then
    # The package carries the program for this machine.
    why="npm is not installed"
    if command -v npm >/dev/null; then
        why="npm cannot install @bufbuild/buf@$version"
        npm install --silent --no-fund --no-audit --prefix "$target/tools/buf" "@bufbuild/buf@$version" >&2 || true
    fi
    if [[ ! -x "$buf" ]]; then
        echo "buf did not run: $why. proto/tests/published.rs checks the most important rules without it." >&2
        [[ "${1:-}" != --publish ]]
        exit
    fi
fi
cd proto
image=rootfold.v1.binpb
"$buf" lint
if [[ "${1:-}" == --publish ]]; then
    "$buf" build -o "$image"
    echo "published: proto/$image"
    exit
fi
"$buf" breaking --against "$image"
echo "buf: the messages keep to STANDARD and break no client"
