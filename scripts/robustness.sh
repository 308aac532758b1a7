#!/bin/sh
# Runs the attacks, the faults and the simulations, and writes what they measured into docs/robustness.md.
# SEEDS simulations (1000), PUTS puts for the size of the database (10000).
set -eu
cd "$(dirname "$0")/.."

figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
ROOTFOLD_FIGURES=$figures
ROOTFOLD_SIM_SEEDS=${SEEDS:-1000}
ROOTFOLD_PUTS=${PUTS:-10000}
export ROOTFOLD_FIGURES ROOTFOLD_SIM_SEEDS ROOTFOLD_PUTS

cargo nextest run --release --workspace --no-fail-fast \
	--test hostile --test peers --test logs --test simulation

# The part of the document before the table stays.
page=docs/robustness.md
head=$(sed '/^| measured/,$d' "$page")
{
	printf '%s\n\n' "$head"
	printf '| measured | value | bound |\n|---|---|---|\n'
	sort "$figures" | awk -F '\t' '
		function grouped(n,   out) {
			out = ""
			while (length(n) > 3) { out = "," substr(n, length(n) - 2) out; n = substr(n, 1, length(n) - 3) }
			return n out
		}
		{ printf "| %s | %s | %s |\n", $1, grouped($2), grouped($3) }'
} >"$page.tmp"
mv "$page.tmp" "$page"
