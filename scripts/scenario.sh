#!/bin/sh
# Drives Chromium and Firefox through the scenario against a stack that is up already:
#   scenario.sh            once (WAY=firefox-first: the other way round)
#   scenario.sh nightly    ROUNDS times (5) each way round, and what only a night has time for; one
#                          failure fails all
# Needs NEURITE_URL, RELAY_URL, NEURITE (the native homeserver), WASM_DIR, WASM_NEXT, WASM_FOREIGN and
# ARTIFACTS; scripts/demo.sh and docker/harness.sh set them. The last line is the verdict.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
mode=${1:-once}
[ -d "$top/harness/e2e/scenario" ] || {
    echo "scenario: the tree has no harness/e2e/scenario" >&2
    exit 1
}
mkdir -p "$ARTIFACTS"

# One whole run, with browsers and homeservers of its own: run WAY FOLDER-OF-THE-EVIDENCE.
profiles=
trap 'rm -rf "$profiles"' EXIT
run() {
    profiles=$(mktemp -d)
    result=0
    (cd "$top/harness" && ARTIFACTS=$2 SCENARIO_RUN=$profiles \
        node_modules/.bin/playwright test -c scenario.config.mjs --project "$1") || result=$?
    rm -rf "$profiles"
    return "$result"
}

status=0
case $mode in
once) run "${WAY:-chromium-first}" "$ARTIFACTS" || status=$? ;;
nightly)
    rounds=${ROUNDS:-5}
    echo "A Chromium without a debugger:"
    (cd "$top/harness" && ARTIFACTS=$ARTIFACTS/undriven \
        node_modules/.bin/playwright test -c nightly.config.mjs undriven) || status=$?
    n=0
    while [ "$n" -lt "$rounds" ]; do
        n=$((n + 1))
        for way in chromium-first firefox-first; do
            echo "Run $n of $rounds, $way:"
            run "$way" "$ARTIFACTS/$n-$way" || status=$?
        done
    done
    ;;
*)
    echo "scenario: once or nightly, not $mode" >&2
    exit 2
    ;;
esac
if [ "$status" -eq 0 ]; then
    echo "The scenario passed. The evidence is in $ARTIFACTS."
else
    echo "The scenario FAILED. The evidence is in $ARTIFACTS."
fi
exit "$status"
