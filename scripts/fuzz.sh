#!/usr/bin/env bash
# Runs libFuzzer on every target of fuzz/, or on those in FUZZ_TARGETS, for FUZZ_SECONDS each. Stable
# Rust is enough: without a sanitizer cargo-fuzz needs nothing else, and no code of ours is unsafe.
# Inputs that reach something new are kept beside the build; one that breaks a target goes to
# fuzz/artifacts, and `cargo fuzz run --sanitizer none --features libfuzzer TARGET FILE` repeats it.
set -uo pipefail
cd "$(dirname "$0")/.."

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2
    exit 1
fi
kept=${CARGO_TARGET_DIR:-$PWD/target}/fuzz-inputs
options=(--sanitizer none --features libfuzzer)
targets=${FUZZ_TARGETS:-$(cargo fuzz list)} || exit 1

broken=()
for target in $targets; do
    mkdir -p "$kept/$target"
    log=$kept/$target.log
    cargo fuzz run "${options[@]}" "$target" "$kept/$target" "fuzz/corpus/$target" -- \
        -max_total_time="${FUZZ_SECONDS:-20}" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        >"$log" 2>&1 || broken+=("$target")
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%-26s %10s inputs\n' "$target" "${executions:-no}"
done
if [[ ${#broken[@]} -gt 0 ]]; then
    printf 'broken: %s\n' "${broken[@]}" >&2
    printf 'the logs are in %s\n' "$kept" >&2
    exit 1
fi
