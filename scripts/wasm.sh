#!/usr/bin/env bash
# Builds verifier, light and wasm for the browser and runs them in Node.js: wasm/tests/*.mjs.
# Builds into target/wasm, where the module for browsers is target/wasm/pkg. `--no-test` builds only.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
triple=wasm32-unknown-unknown
settings=$(scripts/wasm-toolchain.sh)

# The command line tool must have exactly the version of the library. Not --locked: its lock file may
# name crates that a mirror of the registry does not have yet.
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p}' Cargo.lock)
bindgen=$target/tools/bin/wasm-bindgen
if [[ "$("$bindgen" --version 2>/dev/null)" != "wasm-bindgen $version" ]]; then
    cargo install --quiet --root "$target/tools" wasm-bindgen-cli --version "$version"
fi

(
    while read -r setting; do [[ -z "$setting" ]] || export "${setting?}"; done <<<"$settings"
    cargo build --profile web --target $triple --target-dir "$target/wasm" \
        -p rootfold-verifier -p rootfold-light -p rootfold-wasm
)
pkg=$target/wasm/pkg
"$bindgen" --target web --out-dir "$pkg" "$target/wasm/$triple/web/rootfold_wasm.wasm"
echo '{"type": "module"}' >"$pkg/package.json"
[[ "${1:-}" == --no-test ]] || ROOTFOLD_WASM_PKG=$pkg node --test wasm/tests/*.mjs
