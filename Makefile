# `make demo` and `make test` are all a newcomer needs. DEMO passes options on, for instance
# `make demo DEMO="--ops 64 --json"`; FUZZ_SECONDS and FUZZ_TARGETS do so for `make fuzz`.

export FUZZ_SECONDS FUZZ_TARGETS

.PHONY: help demo test bench fuzz fmt build

help:
	@echo "make demo    build, then sync a new replica of this repository's history from a proof"
	@echo "make test    all checks and tests"
	@echo "make bench   measure side by side and write docs/performance.md; leave the machine idle"
	@echo "make fuzz    libFuzzer on every decoder, FUZZ_SECONDS each (20)"
	@echo "make fmt     format the code"

# With --workspace the dependencies get the features that the tests' build gives them, so `make demo`
# and `make test` compile each crate once between them.
build:
	@scripts/install-system-packages.sh demo
	cargo build --release --workspace --bin rootfold

demo: build
	@$${CARGO_TARGET_DIR:-target}/release/rootfold demo $(DEMO)

test:
	@scripts/install-system-packages.sh test
	@scripts/test.sh

# The rivals are compiled here only, so here is where their code is linted. Parameters are made anew.
bench:
	@scripts/install-system-packages.sh demo
	cargo clippy --release -p rootfold-benches --features rivals --all-targets -- -D warnings
	env -u ROOTFOLD_PARAMS_DIR cargo run --release -p rootfold-benches --features rivals -- \
		report --json $${CARGO_TARGET_DIR:-target}/bench/report.json --docs docs $(BENCH)

fuzz:
	@scripts/install-system-packages.sh demo
	@scripts/fuzz.sh

fmt:
	cargo fmt --all
