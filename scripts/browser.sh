#!/usr/bin/env bash
# Tests the board in a browser: web/tests/*.mjs, with playwright-core and the system's Chromium. Where one of
# them cannot be had, says which and why, and succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
version=1.65.1
skip() {
    echo "NOT CHECKED: the board in a browser: $1"
    exit 0
}

scripts/install-system-packages.sh browser || skip "its packages cannot be installed"
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[[ -n "$chromium" ]] || skip "Chromium is not installed"
tools=$target/tools/playwright
held=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$tools/node_modules/playwright-core/package.json" 2>/dev/null || true)
if [[ "$held" != "$version" ]]; then
    # It has the driver alone; the browser is the system's.
    npm install --silent --no-fund --no-audit --prefix "$tools" "playwright-core@$version" >&2 ||
        skip "npm cannot install playwright-core@$version"
fi
[[ -d "$target/web/board" ]] || scripts/web.sh --no-wasm

export ROOTFOLD_PROGRAM=$target/release/rootfold
export ROOTFOLD_WEB=$target/web
export ROOTFOLD_PARAMS_DIR=${ROOTFOLD_PARAMS_DIR:-$target/tmp/rootfold-params}
export ROOTFOLD_PLAYWRIGHT=$tools/node_modules/playwright-core/index.mjs
export CHROMIUM=$chromium
node --test --test-concurrency=1 "$@" web/tests/*.mjs
