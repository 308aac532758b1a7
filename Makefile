# `make demo` and `make test` are all a newcomer needs. DEMO passes options on, for instance
# `make demo DEMO="--ops 64 --json"`.

.PHONY: help demo test bench fmt build packages

help:
	@echo "make demo    build, then sync a new replica of this repository's history from a proof"
	@echo "make test    all checks and tests"
	@echo "make bench   criterion benches and the side-by-side report"
	@echo "make fmt     format the code"

packages:
	@scripts/install-system-packages.sh

build: packages
	cargo build --release -p rootfold-node

demo: build
	@cargo run --release --quiet -p rootfold-node --bin rootfold -- demo $(DEMO)

test: packages
	@scripts/test.sh

bench: packages
	cargo bench -p rootfold-benches

fmt:
	cargo fmt --all
