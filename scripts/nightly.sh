#!/bin/sh
# A night's run: what takes too long for every change. One failure fails it; a flake is a failure.
#   PARTS  of it ("tests faults simulator fuzz idle scenario npm": all; npm is the scenario with npm's relay)
#   ROUNDS of the scenario each way round and with both relays (5)
#   SEEDS  of the simulator (2000, from a number that changes daily; it is printed, and repeats a run)
#   KILLS  of the native server (200), CRASH_ROUNDS of the whole browser, ONCE_ROUNDS of its worker (50)
#   BURST  messages at once (10000), JOIN_STEP bytes of a join between two deaths of the worker in it (100)
#   FUZZ_SECONDS  of each fuzzer, from the kept corpus (600)
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
SEEDS=${SEEDS:-2000}
FIRST=${FIRST:-$(date +%Y%m%d)00000}
PARTS=${PARTS:-tests faults simulator fuzz idle scenario npm}
failed=

part() { # NAME COMMAND...
    name=$1
    shift
    case " $PARTS " in
    *" $name "*) ;;
    *) return ;;
    esac
    echo "== $name"
    start=$(date +%s)
    "$@" || failed="$failed $name"
    seconds=$(($(date +%s) - start))
    printf '== %s: %d:%02d minutes\n' "$name" $((seconds / 60)) $((seconds % 60))
}

# Builds of a preset the targets that are named, and nothing else.
build() { # PRESET TARGET...
    preset=$1
    shift
    cmake --preset "$preset" ${NEURITE_DEPS:+-DNEURITE_DEPS="$NEURITE_DEPS"} >/dev/null &&
        cmake --build --preset "$preset" --target "$@"
}

simulate() {
    last=$((FIRST + SEEDS - 1))
    echo "seeds $FIRST..$last"
    build release sim && build/release/sim --seeds "$FIRST..$last"
}

idle() {
    build wasm worker stamp_double_dendrite_wasm &&
        (cd harness && ARTIFACTS="$top/artifacts/idle" \
            node_modules/.bin/playwright test -c nightly.config.mjs idle)
}

storage() { build release faults && build/release/test/faults/faults 0; }

scripts/install-packages.sh native wasm lint web browser || exit 1
scripts/fetch-deps.sh || exit 1
part tests env KILLS="${KILLS:-200}" BURST="${BURST:-10000}" CRASH_ROUNDS="${CRASH_ROUNDS:-50}" \
    ONCE_ROUNDS="${ONCE_ROUNDS:-50}" JOIN_STEP="${JOIN_STEP:-100}" STRICT=1 make test
part faults storage
part simulator simulate
part fuzz env TIME="${FUZZ_SECONDS:-600}" scripts/fuzz.sh
part idle idle
part scenario env ONCE=1 MODE=nightly ARTIFACTS="$top/artifacts/ours" scripts/demo.sh
part npm env ONCE=1 MODE=nightly RELAY=npm \
    ARTIFACTS="$top/artifacts/npm" scripts/demo.sh

[ -z "$failed" ] || {
    echo "FAILED:$failed"
    exit 1
}
echo "the night was quiet"
