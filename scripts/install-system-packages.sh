#!/usr/bin/env bash
# Finds what the build needs besides Rust, and installs what is missing with apt where apt is there:
#   a C and a C++ compiler   RocksDB and lz4 are compiled from source
#   libclang with headers    RocksDB's bindings are generated while building
#   git                      `rootfold import-git` and `rootfold demo` read histories with it
# Installs nothing that is there already, and says what it installs. With --dry-run it only says.
set -euo pipefail

dry_run=false
[[ "${1:-}" == "--dry-run" ]] && dry_run=true

has() { command -v "$1" >/dev/null 2>&1; }

has_libclang() {
    # LIBCLANG_PATH is where clang-sys, which looks for the library, is told to look first.
    [[ -n "${LIBCLANG_PATH:-}" ]] && return 0
    local pattern
    for pattern in /usr/lib/llvm*/lib /usr/lib64 /usr/lib /usr/lib/*-linux-gnu* /usr/local/lib \
        /usr/local/llvm*/lib /opt/homebrew/opt/llvm/lib /Library/Developer/CommandLineTools/usr/lib; do
        compgen -G "$pattern/libclang.so*" >/dev/null && return 0
        compgen -G "$pattern/libclang-*.so*" >/dev/null && return 0
        compgen -G "$pattern/libclang.dylib" >/dev/null && return 0
    done
    return 1
}

missing=() packages=()
need() { missing+=("$1") packages+=("$2"); }

{ has cc || has gcc || has clang; } || need "a C compiler" gcc
{ has c++ || has g++ || has clang++; } || need "a C++ compiler" g++
has_libclang || need "libclang" libclang-dev
has git || need "git" git

if ! has cargo; then
    echo "cargo is missing: install Rust from https://rustup.rs" >&2
    exit 1
fi
if [[ ${#missing[@]} -eq 0 ]]; then
    echo "system packages: all there"
    exit 0
fi

printf 'missing: %s\n' "${missing[@]}"
as_root=()
[[ $(id -u) -eq 0 ]] || as_root=(sudo)
if ! has apt-get || { [[ ${#as_root[@]} -gt 0 ]] && ! has sudo; }; then
    echo "cannot install them here (no apt-get, or no right to use it); the Debian packages are:" >&2
    echo "    ${packages[*]}" >&2
    exit 1
fi
echo "installing with apt: ${packages[*]}"
if $dry_run; then
    exit 0
fi
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"
