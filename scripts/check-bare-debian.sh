#!/usr/bin/env bash
# Tests scripts/install-system-packages.sh in a bare Debian: debootstrap's minimal system in a
# temporary folder, entered with chroot. The script must
#   1. install nothing with --dry-run,
#   2. install what `demo` needs and no more,
#   3. install libclang where only libclang-cpp is there (another library with a similar name),
#   4. install all that `test` needs where nothing is there,
#   5. change nothing on a second run.
# Only apt uses the network, with this machine's package sources. cargo inside is a stub, since the
# script requires Rust but does not install it; `make test` itself builds with the packages outside.
#
# The bare system and the packages are kept in target/bare-debian: a first run takes 105 s of CPU time,
# a later one 70 s. Where debootstrap cannot run, the script prints NOT CHECKED and the reason, and
# succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "NOT CHECKED: the package script in a bare Debian: $1"
    exit 0
}
fail() {
    echo "bare Debian: $1" >&2
    [[ ! -s "${log:-}" ]] || sed 's/^/    /' "$log" >&2
    exit 1
}

[[ $(uname -s) == Linux ]] || skip "this is not Linux"
[[ $(id -u) -eq 0 ]] || skip "debootstrap needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"

suite=bookworm
cache=${CARGO_TARGET_DIR:-$PWD/target}/bare-debian
mkdir -p "$cache/packages"
base=$cache/$suite.tar
if ! [[ -w "$cache" ]] || [[ $(findmnt -n -o OPTIONS -T "$cache" 2>/dev/null) =~ (^|,)(nodev|noexec)(,|$) ]]; then
    skip "$cache allows no device files or programs"
fi

# The first mirror that this machine's apt uses for Debian itself.
mirror=$(apt-get indextargets --format '$(SITE) $(REPO_URI)' "Origin: Debian" "Label: Debian" 2>/dev/null |
    awk 'NR == 1 { print $2 }')
mirror=${mirror:-http://deb.debian.org/debian}

log=$cache/log
root=$(mktemp -d "$cache/root.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT

if [[ ! -f $base ]]; then
    # apt knows this machine's proxy and certificates; debootstrap's wget does not. So reach the mirror
    # with apt first: without it nothing can be said about the script.
    apt-get update -qq >"$log" 2>&1 || skip "apt reaches no mirror: $(tail -n 1 "$log")"
    proxy=$(apt-config shell value Acquire::http::Proxy | sed -n "s/^value='\(.*\)'$/\1/p")
    echo "making a bare $suite from $mirror"
    if ! http_proxy=${proxy:-${http_proxy:-}} debootstrap --variant=minbase "$suite" "$root" "$mirror" \
        >"$log" 2>&1; then
        grep -qiE 'cannot (mknod|mount)|not permitted|noexec or nodev' "$log" &&
            skip "debootstrap is not permitted here: $(tail -n 1 "$log")"
        fail "debootstrap failed"
    fi
    rm -f "$root"/var/cache/apt/archives/*.deb
    tar -C "$root" -cf "$base.new" .
    mv "$base.new" "$base"
    rm -rf --one-file-system "$root"
    mkdir "$root"
fi

inside() { chroot "$root" env -i PATH=/stub:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
script() {
    inside /install-system-packages.sh "$@" >"$log" 2>&1 || fail "install-system-packages.sh $* failed"
}
says() { grep -qF -- "$1" "$log" || fail "the script does not say: $1"; }
packages() { inside dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n'; }
installed() { inside dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
has() { installed "$1" || fail "$1 was not installed"; }
has_not() { ! installed "$1" || fail "$1 was installed, but is not needed"; }

# A bare system with this machine's package sources, the packages of earlier runs and a stub for cargo.
bare() {
    keep_packages
    rm -rf --one-file-system "$root"
    mkdir "$root"
    tar -C "$root" -xf "$base"
    rm -f "$root/etc/apt/sources.list"
    cp -rL /etc/apt/. "$root/etc/apt/"
    # Docker images delete each package after its installation, and hooks call programs of this machine.
    rm -f "$root"/etc/apt/apt.conf.d/{docker-clean,20packagekit,50appstream,70debconf}
    mkdir -p "$root/usr/share/keyrings" "$root/usr/local/share/ca-certificates" "$root/etc/ssl/certs"
    cp -L /usr/share/keyrings/*.gpg "$root/usr/share/keyrings/" 2>/dev/null || true
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    # A temporary system needs no fsync for each file.
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
    cp "$cache"/packages/*.deb "$root/var/cache/apt/archives/" 2>/dev/null || true
    mkdir "$root/stub"
    printf '#!/bin/sh\nexit 0\n' >"$root/stub/cargo"
    chmod +x "$root/stub/cargo"
    cp scripts/install-system-packages.sh "$root/"
}
keep_packages() { cp -n "$root"/var/cache/apt/archives/*.deb "$cache/packages/" 2>/dev/null || true; }

# changes_nothing ARGUMENTS: runs the script and compares the list of packages.
changes_nothing() {
    local before
    before=$(packages)
    script "$@"
    [[ "$(packages)" == "$before" ]] || fail "install-system-packages.sh $* changed the packages"
}

echo "demo in a bare system"
bare
changes_nothing demo --dry-run
says "going to install with apt: gcc libc6-dev git"
script demo
says "going to install with apt: gcc libc6-dev git"
has gcc
has libc6-dev
has git
for package in g++ libclang-dev nodejs debootstrap; do has_not "$package"; done
echo 'int main(void) { return 0; }' | inside cc -x c -o /dev/null - || fail "cc builds no program"

echo "test where libclang-cpp is there, but libclang is not"
inside apt-get update -qq >"$log" 2>&1 || fail "apt-get update failed"
inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libclang-cpp14 \
    >"$log" 2>&1 || fail "apt-get install libclang-cpp14 failed"
has_not libclang-dev
script test
says "missing: libclang"
has libclang-dev

echo "test in a bare system"
bare
script test
for missing in "C compiler" "C++ compiler" "libclang" "git" "Node.js 18 or newer" "debootstrap"; do
    says "missing: $missing"
done
for package in gcc libc6-dev g++ libclang-dev git nodejs debootstrap; do has "$package"; done
printf '#include <vector>\nint main() {}\n' | inside c++ -x c++ -o /dev/null - || fail "c++ builds no program"
inside sh -c 'ls /usr/lib/llvm*/lib/libclang.so /usr/lib/llvm*/lib/clang/*/include/stddef.h' >"$log" 2>&1 ||
    fail "libclang or its headers are not where the bindings' generator looks for them"
inside node --version >"$log" 2>&1 || fail "node does not start"

echo "test a second time"
changes_nothing test
says "nothing is missing"
changes_nothing demo
keep_packages
echo "the package script passes in a bare Debian $suite"
