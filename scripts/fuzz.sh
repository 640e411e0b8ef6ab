#!/bin/sh
# Runs fuzzers from the kept corpus, under AddressSanitizer and UndefinedBehaviorSanitizer:
# scripts/fuzz.sh [FUZZER...], all if none is named.
#   TIME   seconds for each (60)
#   RUNS   inputs for each at most (0: as many as the time allows)
#   SEED   of the mutants (0: another one each time)
#   JOBS   so many at once (all processors)
# What a fuzzer learns stays in build/corpus/, what breaks it is put into artifacts/fuzz/. Prints TAP.
# With RELIABILITY=FILE a line of JSON for each is put behind that file.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
TIME=${TIME:-60}
RUNS=${RUNS:-0}
SEED=${SEED:-0}
JOBS=${JOBS:-$(nproc)}
logs=$top/build/fuzz/logs

if [ "${1:-}" = --one ]; then # NAME: the work of one job
    name=$2
    mkdir -p "build/corpus/$name"
    "build/fuzz/test/fuzz/fuzz_$name" -max_total_time="$TIME" -runs="$([ "$RUNS" -gt 0 ] && echo "$RUNS" || echo -1)" \
        -seed="$SEED" -print_final_stats=1 \
        -artifact_prefix="artifacts/fuzz/$name-" "build/corpus/$name" "test/fuzz/corpus/$name" \
        >"$logs/$name.log" 2>&1 || echo failed >>"$logs/$name.log"
    exit 0
fi

# shellcheck disable=SC2046 # a word for each
[ $# -gt 0 ] || set -- $(ls test/fuzz/corpus)
mkdir -p artifacts/fuzz "$logs"
cmake --preset fuzz ${NEURITE_DEPS:+-DNEURITE_DEPS="$NEURITE_DEPS"} >/dev/null
# shellcheck disable=SC2046 # a word for each
cmake --build --preset fuzz -j "$JOBS" --target $(printf 'fuzz_%s ' "$@") >"$logs/build.log" 2>&1 || {
    tail -n 50 "$logs/build.log"
    exit 1
}
export TIME RUNS SEED logs
printf '%s\n' "$@" | xargs -P "$JOBS" -n 1 "$0" --one

echo "1..$#"
n=0
failed=0
for name; do
    n=$((n + 1))
    log=$logs/$name.log
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    if [ -z "$runs" ] || [ "$(tail -n 1 "$log")" = failed ]; then
        failed=$((failed + 1))
        tail -n 40 "$log" | sed 's/^/# /'
        printf 'not '
    fi
    echo "ok $n - $name holds, ${runs:-0} inputs in $TIME seconds at most"
    [ -z "${RELIABILITY:-}" ] || printf '{"fault":"hostile bytes: %s","injected":%s,"command":"%s"}\n' \
        "$name" "${runs:-0}" "make fuzz TIME=$TIME FUZZERS=$name" >>"$RELIABILITY"
done
exit $((failed > 0))
