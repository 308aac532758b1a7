# `make demo` and `make test` are all that a newcomer needs. DEMO and BENCH pass options on, for
# instance `make demo DEMO="--ops 64 --json"`; `make fuzz` reads FUZZ_SECONDS and FUZZ_TARGETS.

export FUZZ_SECONDS FUZZ_TARGETS SOAK_SECONDS

TARGET := $${CARGO_TARGET_DIR:-target}

.PHONY: help demo build board node check test bench robustness soak fuzz fmt

help:
	@echo "make demo    build, then sync a new replica from a proof and from the logs, and compare"
	@echo "make board   start a node with a page of sample posts, which a browser reads and writes with proofs"
	@echo "make node    build the program with RocksDB, the store for a lot of data"
	@echo "make check   format, links, clippy, documentation, unit tests"
	@echo "make test    all checks and tests"
	@echo "make bench   measure side by side and write docs/performance.md; leave the machine idle"
	@echo "make robustness  attacks, faults and simulations, measured into docs/robustness.md"
	@echo "make soak    three nodes that are written to and killed for SOAK_SECONDS (1800)"
	@echo "make fuzz    libFuzzer on every decoder, FUZZ_SECONDS each (20)"
	@echo "make fmt     format the code"

# With --workspace the dependencies get the features that the build of the tests gives them, so that
# `make demo` and `make test` share what they compile.
build:
	@scripts/install-system-packages.sh demo
	cargo build --release --workspace --bin rootfold

demo: build
	@$(TARGET)/release/rootfold demo $(DEMO)

board: build
	@scripts/web.sh
	@scripts/board.sh

node:
	@scripts/install-system-packages.sh rocksdb
	@scripts/build-node.sh

check:
	@scripts/install-system-packages.sh demo
	@scripts/check.sh

test:
	@scripts/install-system-packages.sh test
	@scripts/test.sh

# Only here are the rivals compiled, so here their code is linted. Parameters are made anew.
bench:
	@scripts/install-system-packages.sh demo
	cargo clippy --release -p rootfold-benches --features rivals --all-targets -- -D warnings
	env -u ROOTFOLD_PARAMS_DIR cargo run --release -p rootfold-benches --features rivals -- \
		report --json $(TARGET)/bench/report.json --docs docs $(BENCH)

robustness:
	@scripts/install-system-packages.sh demo
	@scripts/robustness.sh

soak:
	@scripts/install-system-packages.sh demo
	ROOTFOLD_SOAK_SECONDS=$${SOAK_SECONDS:-1800} \
		cargo test --release --workspace --test soak -- --nocapture

fuzz:
	@scripts/install-system-packages.sh demo
	@scripts/fuzz.sh

fmt:
	cargo fmt --all
