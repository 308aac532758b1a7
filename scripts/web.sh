#!/usr/bin/env bash
# Builds the npm package `rootfold` and the board that uses it, from web/ and the WebAssembly module:
#
#   target/web/rootfold   the package; `npm pack` takes this folder
#   target/web/board      the board with the package in it: `rootfold serve --web target/web`, or any static host
#
# scripts/wasm.sh builds the module first; `--no-wasm` takes the one that it built before.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
[[ "${1:-}" == --no-wasm ]] || scripts/wasm.sh --no-test

out=$target/web
rm -rf "$out"
mkdir -p "$out"
cp -r web/rootfold web/board "$out/"
mkdir "$out/rootfold/wasm"
cp "$target"/wasm/pkg/rootfold_wasm{.js,.d.ts,_bg.wasm} "$out/rootfold/wasm/"
cp -r "$out/rootfold" "$out/board/rootfold"
echo "built: $out/rootfold, $out/board"
