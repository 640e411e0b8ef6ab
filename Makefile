# The front door. Everything is built below build/; each target installs what it misses.
# `make help` says what there is; CMake and its presets are underneath.
.DEFAULT_GOAL := help
.PHONY: help native wasm riot worker test fuzz reliability sim sim-mutants vectors conformance interop lint format demo bench bench-relay nightly clean deps

BUILD_ID ?= $(shell scripts/build-id.sh)
JOBS ?= $(shell nproc)
INSTALL := scripts/install-packages.sh
# Where Debian's Node.js is too old, scripts/fetch-deps.sh puts one there.
export PATH := $(or $(NEURITE_DEPS),$(CURDIR)/build/deps)/node/bin:$(PATH)

help:
	@echo "make native   build/neurite and build/rendezvous: the homeserver and the relay as programs"
	@echo "make wasm     build/dendrite.wasm and build/dendrite_sw.js: the homeserver for a browser"
	@echo "make riot     build/riot: the client's pages, patched"
	@echo "make demo     all of it as plain processes, two browsers, http://localhost:8080 (ONCE=1: then end)"
	@echo "make test     every test there is; ends in a line N passed, N failed (RINGS=\"lint native\": some)"
	@echo "make lint     the linters only          make format   rewrite sources in the house's style"
	@echo "make vectors  the tests by published vectors"
	@echo "make sim      the simulator: SEED=n, or SEEDS=a..b, or MINUTES=m; NODES=1..4, LIAR=1, JOBS=n"
	@echo "make sim-mutants  mutants of the tree, each caught by a seed"
	@echo "make fuzz     each parser of foreign bytes, from its corpus: TIME=60 seconds (FUZZERS=\"json\": some)"
	@echo "make reliability  breaks things on purpose and writes docs/reliability.md (PARTS=\"storage\": some)"
	@echo "make bench    figures beside their aims (PARTS=\"sizes cold\": some)"
	@echo "make bench-relay  our relay beside npm's, a crowd of 10,000, HTTP between homeservers through it"
	@echo "make conformance  answers judged by the specification's OpenAPI data (SPEC=DIR), and a table"
	@echo "make interop  a native server in the same rooms as a real Synapse (root, debootstrap)"
	@echo "make nightly  the long runs             make clean    remove what was built"

deps:
	@$(INSTALL) native
	@scripts/fetch-deps.sh

native: deps
	@cmake --preset release -DNEURITE_BUILD_ID="$(BUILD_ID)" >/dev/null
	@cmake --build --preset release -j $(JOBS) --target neurite rendezvous
	@install build/release/neurite build/release/rendezvous build/
	@echo "build/neurite and build/rendezvous are ready"

node_modules/.package-lock.json: package-lock.json | deps
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

wasm: deps node_modules/.package-lock.json
	@$(INSTALL) wasm
	@cmake --preset wasm -DNEURITE_BUILD_ID="$(BUILD_ID)" >/dev/null
	@cmake --build --preset wasm -j $(JOBS) --target worker stamp_dendrite_wasm \
		stamp_next_dendrite_wasm stamp_foreign_dendrite_wasm
	@scripts/collect-wasm.sh build/wasm build

riot:
	@$(INSTALL) native web
	@scripts/build-riot.sh

test: deps
	@$(INSTALL) native wasm lint web browser cluster
	@scripts/run-tests.sh $(RINGS)

lint: deps node_modules/.package-lock.json
	@$(INSTALL) lint
	@scripts/lint.sh

format: node_modules/.package-lock.json
	@$(INSTALL) lint
	@scripts/format.sh

demo:
	@scripts/demo.sh

vectors: deps
	@test -d test/vectors || { echo "make vectors: the tree has no test/vectors" >&2; exit 1; }
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev -j $(JOBS)
	@ctest --preset dev -R vector

sim: deps
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target sim
	@SEED="$(SEED)" SEEDS="$(SEEDS)" MINUTES="$(MINUTES)" NODES="$(NODES)" RESTLESS="$(RESTLESS)" LIAR="$(LIAR)" \
		SHRINK="$(SHRINK)" ONLY="$(ONLY)" JOBS="$(JOBS)" scripts/sim.sh

conformance:
	@$(INSTALL) native
	@rm -f build/test/conformance.txt
	@scripts/run-tests.sh conformance; status=$$?; \
		test ! -f build/test/conformance.txt || cat build/test/conformance.txt; exit $$status

interop:
	@$(INSTALL) native
	@scripts/run-tests.sh interop

sim-mutants: deps
	@scripts/sim-mutants.sh $(MUTANTS)

fuzz: deps
	@$(INSTALL) lint
	@TIME="$(or $(TIME),60)" JOBS="$(JOBS)" scripts/fuzz.sh $(FUZZERS)

reliability: deps
	@$(INSTALL) native lint browser
	@scripts/reliability.sh $(PARTS)

bench:
	@scripts/bench.sh $(PARTS)

bench-relay:
	@scripts/bench.sh relay

nightly:
	@test -f scripts/nightly.sh || { echo "make nightly: there is no long run yet" >&2; exit 1; }
	@scripts/nightly.sh

clean:
	rm -rf build artifacts/* node_modules harness/node_modules
