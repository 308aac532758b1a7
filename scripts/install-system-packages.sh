#!/usr/bin/env bash
# Finds the system packages that a build needs besides Rust and installs the missing ones with apt.
#
#   install-system-packages.sh [demo|rocksdb|test|browser] [--dry-run]
#
#   demo      C compiler: linker of every Rust program, and blake3's assembly
#             git: `rootfold demo` and `rootfold import-git` read histories with it
#   rocksdb   demo, and a C++ compiler (RocksDB is C++) and libclang with clang's own C headers
#             (RocksDB's bindings are generated during the build)
#   test      rocksdb, and Node.js 18 or newer (runs the browser build of the verifier) and, on
#             Debian, debootstrap (scripts/check-bare-debian.sh tests this script with it)
#   browser   demo, Node.js 18 or newer with npm, and Chromium (scripts/browser.sh tests the board with it)
#
# The default is demo. What is there is not installed again. The script prints what is missing and
# what it is going to install before it starts; with --dry-run it stops there.
set -euo pipefail

usage() { echo "usage: $0 [demo|rocksdb|test|browser] [--dry-run]" >&2; exit 2; }
group=demo dry_run=false
for argument in "$@"; do
    case $argument in
        demo | rocksdb | test | browser) group=$argument ;;
        --dry-run) dry_run=true ;;
        *) usage ;;
    esac
done

has() { command -v "$1" >/dev/null 2>&1; }

# A compiler without the C library's headers and start-up files (Debian: gcc without libc6-dev) does
# not count, so each of them has to build a program.
builds_c() { echo 'int main(void) { return 0; }' | "$1" -x c -o /dev/null - 2>/dev/null; }
builds_cxx() { printf '#include <vector>\nint main() {}\n' | "$1" -x c++ -o /dev/null - 2>/dev/null; }
has_c() { builds_c "${CC:-cc}" || builds_c gcc || builds_c clang; }
has_cxx() { builds_cxx "${CXX:-c++}" || builds_cxx g++ || builds_cxx clang++; }

# The file names that clang-sys accepts: libclang.so, libclang-14.so, libclang.so.1, libclang-14.so.1.
# libclang-cpp.so is another library, with which no bindings can be generated.
has_libclang_library() {
    # clang-sys searches LIBCLANG_PATH, a folder or a file, first.
    [[ -n "${LIBCLANG_PATH:-}" && -e "${LIBCLANG_PATH:-}" ]] && return 0
    local folder
    for folder in /usr/lib/llvm*/lib /usr/lib64 /usr/lib64/llvm*/lib /usr/lib /usr/lib/*-linux-gnu* \
        /usr/local/lib /usr/local/llvm*/lib /opt/homebrew/opt/llvm/lib \
        /Library/Developer/CommandLineTools/usr/lib; do
        compgen -G "$folder/libclang.so*" >/dev/null && return 0
        compgen -G "$folder/libclang-[0-9]*.so*" >/dev/null && return 0
        compgen -G "$folder/libclang.dylib" >/dev/null && return 0
    done
    return 1
}

# stddef.h and the like, which libclang itself does not contain.
has_clang_headers() {
    local folder
    for folder in /usr/lib/llvm*/lib /usr/lib /usr/lib64 /usr/lib64/llvm*/lib /usr/local/lib \
        /usr/local/llvm*/lib /opt/homebrew/opt/llvm/lib /Library/Developer/CommandLineTools/usr/lib \
        "${LIBCLANG_PATH:-/nonexistent}"; do
        compgen -G "$folder/clang/*/include/stddef.h" >/dev/null && return 0
    done
    return 1
}

has_node() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [[ "${version%%.*}" -ge 18 ]]
}

missing=() packages=()
need() {
    missing+=("$1")
    shift
    packages+=("$@")
}

has_c || need "C compiler" gcc libc6-dev
has git || need "git" git
if [[ $group == rocksdb || $group == test ]]; then
    has_cxx || need "C++ compiler" g++
    if ! has_libclang_library; then
        need "libclang" libclang-dev
    elif ! has_clang_headers; then
        need "clang's C headers" libclang-dev
    fi
fi
if [[ $group == browser ]]; then
    has_node || need "Node.js 18 or newer" nodejs
    has npm || need "npm" npm
    has chromium || has chromium-browser || need "Chromium" chromium
fi
if [[ $group == test ]]; then
    has_node || need "Node.js 18 or newer" nodejs
    # Not a requirement where there is no apt-get: scripts/check-bare-debian.sh says that it was skipped.
    if has apt-get && ! has debootstrap; then need "debootstrap" debootstrap; fi
fi

if ! has cargo; then
    echo "cargo is missing: install Rust from https://rustup.rs" >&2
    exit 1
fi
if [[ ${#missing[@]} -eq 0 ]]; then
    echo "system packages for $group: nothing is missing"
    exit 0
fi

printf 'missing: %s\n' "${missing[@]}"
as_root=()
[[ $(id -u) -eq 0 ]] || as_root=(sudo)
if ! has apt-get || { [[ ${#as_root[@]} -gt 0 ]] && ! has sudo; }; then
    echo "cannot install them here (needs apt-get, and root or sudo); the Debian packages are:" >&2
    echo "    ${packages[*]}" >&2
    exit 1
fi
echo "going to install with apt: ${packages[*]}"
if $dry_run; then
    exit 0
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${packages[@]}"
