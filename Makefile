# `make run` and `make test` do all the set-up that they need and nothing that was done before.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

WASM := wasm32-unknown-unknown
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help setup run test bench bench-fulfil bench-admit bench-messages bench-swap bench-logs bench-workspace bench-policy bench-console shots lint

help:
	@echo "make run    build, and serve a demo on http://127.0.0.1:7070"
	@echo "make test   run all tests"
	@echo "make bench  measure checks beside a bare handler, and events to 1,000 webhooks"
	@echo "make bench-fulfil  measure fulfilment messages beside bare INSERTs"
	@echo "make bench-admit  measure new devices of capped gray tasks beside bare inserts"
	@echo "make bench-messages  measure logins and subscription messages"
	@echo "make bench-swap  measure the proxy that swaps OpenIDs beside nginx"
	@echo "make bench-logs  measure real-time logs: entries beside bare INSERTs, searches beside scans"
	@echo "make bench-workspace  measure portals and SCIM with 100,000 members"
	@echo "make bench-policy  measure decisions, audits and the start with 1,000 policies beside bare wasmtime and native code"
	@echo "make bench-console  measure every page of the console with 10,000 MiniApps"
	@echo "make shots  pictures of every page of the console in $(TARGET)/shots, by Chromium (PART=gray for those with it in their address)"
	@echo "make lint   rustfmt, clippy, cargo-deny"

setup:
	@command -v cargo >/dev/null || { echo "Rust is missing. Install it from https://rustup.rs and run make again." >&2; exit 1; }
	@command -v cc >/dev/null || { echo "A C compiler is missing. Install gcc or clang and run make again." >&2; exit 1; }
	@rustc --print target-libdir --target $(WASM) 2>/dev/null | xargs -r test -d || rustup target add $(WASM)

run: setup
	cargo build --locked -p berth
	$(TARGET)/debug/berth demo

test: setup
	tests/setup/run.sh

bench: setup
	cargo build --locked --release -p berth
	cargo build --locked --release -p berth-tests --example bench-check --example bench-events
	$(TARGET)/release/examples/bench-check $(TARGET)/release/berth
	$(TARGET)/release/examples/bench-events $(TARGET)/release/berth

bench-fulfil: setup
	cargo build --locked --release -p berth
	cargo build --locked --release -p berth-tests --example bench-fulfil
	$(TARGET)/release/examples/bench-fulfil $(TARGET)/release/berth

bench-admit: setup
	cargo build --locked --release -p berth-tests --example bench-admit
	$(TARGET)/release/examples/bench-admit

bench-messages: setup
	cargo build --locked --release -p berth-tests --example bench-messages
	$(TARGET)/release/examples/bench-messages

bench-swap: setup
	cargo build --locked --release -p berth
	cargo build --locked --release -p berth-tests --example bench-swap
	$(TARGET)/release/examples/bench-swap $(TARGET)/release/berth

# MILLIONS=10 make bench-logs takes 8 GiB of room in the temporary folder. On ClickHouse with
# BERTH_LOG_URL=http://user:password@host:8123/database, a database that nobody else uses.
bench-logs: setup
	cargo build --locked --release -p berth
	cargo build --locked --release -p berth-tests --example bench-logs
	$(TARGET)/release/examples/bench-logs $(TARGET)/release/berth $(or $(MILLIONS),1)

bench-workspace: setup
	cargo build --locked --release -p berth-tests --example bench-workspace
	$(TARGET)/release/examples/bench-workspace

bench-policy: setup
	cargo build --locked --release -p berth
	cargo build --locked --release -p berth-tests --example bench-policy
	$(TARGET)/release/examples/bench-policy $(TARGET)/release/berth

# A page has to be made within 50 ms, and to have 100 kB at the most. In debug only the sizes are judged.
bench-console: setup
	cargo build --locked --release -p berth-tests --example bench-console
	$(TARGET)/release/examples/bench-console

shots: setup
	cargo build --locked -p berth-tests --example shots
	@driver=$$(mktemp -d); trap 'tests/setup/browser.sh stop $$driver' EXIT; \
	BERTH_TEST_BROWSER=$$(tests/setup/browser.sh start $$driver) $(TARGET)/debug/examples/shots $(TARGET)/shots $(PART)

lint: setup
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo "SKIPPED cargo deny: install it with cargo install --locked cargo-deny" >&2; fi
