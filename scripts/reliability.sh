#!/bin/sh
# Injects every kind of fault and writes docs/reliability.md from what was counted:
# scripts/reliability.sh [PART...], of: storage simulator kills browsers fuzz (all). The counts of parts
# that are not run stay as they were counted last, in build/reliability/.
#   PLACES        calls of each kind that fail, for each operation (0: every one)
#   SEEDS         of the simulator (1..100)
#   KILLS, CRASH_ROUNDS, ONCE_ROUNDS   of the native server, the whole browser, the worker
#   TIME          seconds for each fuzzer (20)
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
PLACES=${PLACES:-20}
SEEDS=${SEEDS:-1..100}
folder=$top/build/reliability
mkdir -p "$folder"
[ $# -gt 0 ] || set -- storage simulator kills browsers fuzz

build() { # TARGET...
    cmake --preset release ${NEURITE_DEPS:+-DNEURITE_DEPS="$NEURITE_DEPS"} >/dev/null &&
        cmake --build --preset release --target "$@" >/dev/null
}

part_storage() { build faults && build/release/test/faults/faults "$PLACES"; }

# The simulator audits after each seed: what a seed that passes acknowledged is there, once, in order.
part_simulator() {
    build sim && build/release/sim --seeds "$SEEDS" --nodes 3 >"$folder/sim.log" || return 1
    awk -v seeds="$SEEDS" '
        { for (i = 2; i <= NF; i++) if ($i == "crashes,") crashes += $(i - 1) }
        END { printf "{\"fault\":\"simulation: three servers crash at any effect\",\"injected\":%d," \
            "\"lost\":0,\"duplicated\":0,\"out_of_order\":0," \
            "\"command\":\"make reliability PARTS=simulator SEEDS=%s\"}\n", crashes, seeds }' \
        "$folder/sim.log" >>"$RELIABILITY"
}

part_kills() {
    build neurite rendezvous &&
        NEURITE=$top/build/release/neurite RENDEZVOUS=$top/build/release/rendezvous \
            node --test --test-concurrency=1 test/client/kill.test.mjs
}

part_browsers() {
    (cd harness && WASM_BUILD="${WASM_BUILD:-$top/build/wasm}" node_modules/.bin/playwright test \
        e2e/worker/once.spec.mjs e2e/worker/crash.spec.mjs -g "once|kills -9" \
        --reporter="$top/scripts/playwright-tap.mjs")
}

part_fuzz() { TIME=${TIME:-20} scripts/fuzz.sh; }

status=0
for part; do
    export RELIABILITY="$folder/$part.new"
    rm -f "$RELIABILITY"
    if "part_$part" >"$folder/$part.log" 2>&1; then
        echo "$part: done"
    else
        status=1
        echo "$part: failed, see build/reliability/$part.log"
    fi
    [ ! -s "$RELIABILITY" ] || mv "$RELIABILITY" "$folder/$part.jsonl"
done
for part in storage simulator kills browsers fuzz; do
    [ ! -f "$folder/$part.jsonl" ] || cat "$folder/$part.jsonl"
done | node scripts/reliability.mjs docs/reliability.md || status=1
[ "$status" -eq 0 ]
