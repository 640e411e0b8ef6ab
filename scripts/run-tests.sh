#!/bin/sh
# Runs every ring of tests, or the ones named: scripts/run-tests.sh [RING...]. The last line is
# "N passed, N failed"; each ring's output is kept in build/test/RING.log. Environment:
#   STRICT=1   a skipped test is a failure (CI)
#   JOBS       processes at once (all processors)
#   KILLS      how often the kill test kills (20)
#   FUZZ_SECONDS  for each fuzzer at most (20), whose mutants are the same in every run
#
# A ring is a row of the table below: its name, files of the tree without which it does not exist,
# and a function ring_NAME that prints TAP or ctest's verbose output and exits with its verdict.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
STRICT=${STRICT:-}
JOBS=${JOBS:-$(nproc)}
export JOBS
logs=$top/build/test
mkdir -p "$logs"

table() {
    cat <<'ROWS'
lint      scripts/lint.sh
native    src/base/str_test.c
clang     src/base/str_test.c
fuzz      test/fuzz/fuzz.h
wasm      src/base/str_test.c
wire      test/wire/*.test.mjs
client    test/client/*.test.mjs
conformance test/conformance/*.test.mjs
interop   test/interop/*.test.mjs
worker    harness/e2e/worker/*.spec.mjs
page      harness/e2e/page/*.spec.mjs
scenario  harness/e2e/scenario/*.spec.mjs
ROWS
}

# Builds preset $1 (all, or the targets named) with everything it needs.
build() {
    preset=$1
    shift
    scripts/fetch-deps.sh &&
        cmake --preset "$preset" ${NEURITE_DEPS:+-DNEURITE_DEPS="$NEURITE_DEPS"} &&
        cmake --build --preset "$preset" -j "$JOBS" ${1:+--target "$@"}
}

# npm's packages of folder $1, exactly as locked.
node_packages() {
    [ -f "$1/package-lock.json" ] || return 0
    [ -n "$(find "$1/node_modules/.package-lock.json" -newer "$1/package-lock.json" \
        2>/dev/null)" ] ||
        (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund)
}

# The type checker needs the types of what each folder uses.
ring_lint() {
    for folder in . harness test/wire; do
        node_packages "$folder" || return 1
    done
    scripts/fetch-deps.sh && scripts/lint.sh
}

# Most seeds of the simulator run optimised.
ring_native() {
    build dev && build release sim && ctest --test-dir build/dev -V -j "$JOBS" &&
        test/sim/seeds.sh
}

# The second compiler agrees: everything compiles without a warning.
ring_clang() { build lint && echo "ok 1 - clang compiles everything without a warning"; }

# Every parser of foreign bytes for a while, from the kept corpus.
ring_fuzz() { scripts/fetch-deps.sh && TIME=${FUZZ_SECONDS:-20} RUNS=50000 SEED=1 scripts/fuzz.sh; }

ring_wasm() { node_packages . && build wasm && ctest --test-dir build/wasm -V -j "$JOBS"; }

# Programs for the rings that drive them from outside: with sanitizers.
programs() {
    build dev && node_packages . || return 1
    export NEURITE="$top/build/dev/neurite" RENDEZVOUS="$top/build/dev/rendezvous"
    export UBSAN_OPTIONS=print_stacktrace=1
}

node_tests() { node --test --test-reporter=tap --test-concurrency=1 "$@"; }

ring_wire() { programs && node_packages test/wire && node_tests test/wire/*.test.mjs; }

# Conversations with the native server; those between two servers also over npm's relay.
ring_client() {
    programs && node_packages test/wire || return 1
    npm_relay=$top/test/wire/node_modules/.bin/rendezvous
    [ ! -e "$npm_relay" ] || export RENDEZVOUS_NPM="$npm_relay"
    node_tests test/client/*.test.mjs
}

# The native server's answers by the specification's OpenAPI data; the table is kept beside the log. The
# other server in it is the harness's.
ring_conformance() {
    programs && node_packages harness && REPORT="$logs/conformance.txt" node_tests test/conformance/*.test.mjs
}

# In the same rooms as a real Synapse, which is installed below build/interop; without root or debootstrap
# this is one skipped test that says so.
ring_interop() { programs && node_tests test/interop/*.test.mjs; }

# Playwright over folder $1 of harness/e2e, in both browsers.
browsers() {
    node_packages harness &&
        (cd harness && node_modules/.bin/playwright test "e2e/$1" \
            --reporter="$top/scripts/playwright-tap.mjs")
}

# The service worker in real browsers: with a homeserver that misbehaves on request, with the real one,
# and with native ones over the relay.
ring_worker() {
    programs && build wasm && WASM_BUILD="$top/build/wasm" browsers worker
}

# What people see of the client's page when something is not as it should be.
ring_page() {
    programs && build wasm && scripts/build-riot.sh && WASM_BUILD="$top/build/wasm" browsers page
}

# Two browsers against the whole stack as plain processes. Its reporter prints "ok" and "FAIL".
ring_scenario() { ONCE=1 scripts/demo.sh; }

# Reads a log; prints "passed failed skipped". A program of ctest that prints no TAP counts as one.
count() {
    awk '
        { id = ""; if (match($0, /^[0-9]+: /)) { id = $1; $0 = substr($0, RLENGTH + 1) } }
        /^ok / { rows[id]++; if (/# SKIP/) skipped++; else passed++ }
        /^not ok |^FAIL / { rows[id]++; bad[id]++; failed++ }
        /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
            match($0, /#[0-9]+:/); program = substr($0, RSTART + 1, RLENGTH - 1)
            if (/\*\*\*Skipped/) skipped++
            else if (/ Passed /) { if (!rows[program]) passed++ }
            else if (!bad[program]) failed++
        }
        END { print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# What a reader of a failed ring wants to see first.
excerpt() {
    grep -nE '(^|^[0-9]+: )(not ok|FAIL|# .*(CHECK|got|want|error)|.*(ERROR: |runtime error|Assertion))|FAILED|\*\*\*|error:' \
        "$1" | cut -c 1-300 | head -n 60
    echo "   ... the end of $1:"
    tail -n 25 "$1" | cut -c 1-300
}

# What may be skipped even under STRICT: the golden data of a real server and the specification's
# OpenAPI data are not part of the tree; test/vectors/run.sh and test/conformance/spec.mjs say where
# they look for them.
tolerated='vectors/golden|conformance/data'

total_passed=0
total_failed=0
run_ring() {
    log=$logs/$1.log
    start=$(date +%s)
    "ring_$1" >"$log" 2>&1
    status=$?
    # shellcheck disable=SC2046 # three numbers
    set -- "$1" $(count "$log")
    passed=$2 failed=$3 skipped=$4
    if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
        echo "   $1 ended with status $status" >>"$log"
    elif [ "$((passed + failed + skipped))" -eq 0 ]; then
        failed=1
        echo "   $1 ran no test" >>"$log"
    fi
    if [ "$skipped" -gt 0 ]; then
        grep -E '# SKIP|\*\*\*Skipped' "$log" | sed 's/^/   skipped: /'
        strict=$(grep -E '# SKIP|\*\*\*Skipped' "$log" | grep -cvE "$tolerated")
        [ -z "$STRICT" ] || failed=$((failed + strict))
    fi
    [ "$failed" -eq 0 ] || excerpt "$log"
    seconds=$(($(date +%s) - start))
    printf '%-11s %5d passed, %d failed, %d skipped in %d:%02d minutes\n' "$1" "$passed" "$failed" \
        "$skipped" $((seconds / 60)) $((seconds % 60))
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
}

wanted=" $* "
for name in $(table | awk '{ print $1 }'); do
    case $wanted in
    "  " | *" $name "*) ;;
    *) continue ;;
    esac
    # shellcheck disable=SC2046 # patterns that the shell expands
    set -- $(table | awk -v name="$name" '$1 == name { print $2 }')
    if [ -e "$1" ]; then
        run_ring "$name"
    else
        echo "$name: the tree has no $1"
        [ "$wanted" = "  " ] || total_failed=$((total_failed + 1))
    fi
done
for name in $wanted; do
    table | grep -q "^$name " || {
        echo "there is no ring $name; there are: $(table | awk '{ printf "%s ", $1 }')"
        total_failed=$((total_failed + 1))
    }
done
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]
