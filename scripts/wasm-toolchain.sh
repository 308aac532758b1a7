#!/usr/bin/env bash
# Finds or brings a toolchain for wasm32-unknown-unknown, and prints its settings as NAME=VALUE lines
# to stdout. No lines mean that the installed toolchain needs no settings.
#
#   1. the installed toolchain has the target: nothing to do;
#   2. `rustup target add`, where rustup is there and reaches its server;
#   3. Debian's rustc-web, rust-web-src and lld-22, a matching set, unpacked into target/wasm-toolchain
#      and not installed. Cargo compiles the standard library from its sources (-Z build-std).
#
# WASM_TOOLCHAIN=debian skips the first two.
set -euo pipefail
cd "$(dirname "$0")/.."

triple=wasm32-unknown-unknown
say() { echo "wasm toolchain: $*" >&2; }
installed() { compgen -G "$(rustc --print target-libdir --target $triple)/libstd-*.rlib" >/dev/null; }

if [[ ${WASM_TOOLCHAIN:-} != debian ]]; then
    if installed; then exit 0; fi
    if command -v rustup >/dev/null; then
        say "adding $triple with rustup"
        if timeout 300 rustup target add $triple >&2 && installed; then exit 0; fi
        say "rustup does not bring the target"
    fi
fi

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/wasm-toolchain
if [[ ! -x $target/usr/bin/rustc ]]; then
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        say "no Rust library for $triple here; with rustup: rustup target add $triple"
        exit 1
    fi
    [[ $(id -u) -ne 0 ]] || apt-get update -qq >&2
    # What the three packages need and this system does not have.
    packages=$(apt-get install --simulate --no-install-recommends rustc-web rust-web-src lld-22 |
        awk '/^Inst / { print $2 }')
    say "unpacking into $target:" $packages
    mkdir -p "${target%/*}"
    work=$(mktemp -d "${target%/*}/wasm-toolchain.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/packages" "$work/root"
    # shellcheck disable=SC2086 # a list
    (cd "$work/packages" && apt-get download -qq $packages >&2)
    for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/root"; done
    rm -rf "$target"
    mv "$work/root" "$target"
fi

libraries=$(dirname "$(find "$target/usr/lib" -name 'librustc_driver-*.so' | head -n 1)")
cat <<SETTINGS
RUSTC=$target/usr/bin/rustc
RUSTC_BOOTSTRAP=1
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
CARGO_UNSTABLE_BUILD_STD=std,panic_abort
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$target/usr/bin/wasm-ld-22
SETTINGS
