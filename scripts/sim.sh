#!/bin/sh
# Runs the simulator (the program SIM) over seeds, in JOBS processes:
#   SEED=n            that one, with its whole trace; SHRINK=1: shortened; ONLY="...": what that said
#   SEEDS=a..b        those (1..500); each is run twice, and the traces compared
#   MINUTES=m         new ones, from START on, for so long
#   NODES=n           as many homeservers (a seed chooses one or two)
#   LIAR=1            a hostile peer is in the first room
#   RESTLESS=1        people speak before all are in the room, go, and are thrown out
# The last line is "N passed, N failed"; each process's output is kept in build/sim/.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
SIM=${SIM:-$top/build/release/sim}
JOBS=${JOBS:-$(nproc)}
nodes="${NODES:+--nodes $NODES}${RESTLESS:+ --restless}${LIAR:+ --liar}"
if [ -n "${SEED:-}" ]; then
    if [ -n "${SHRINK:-}" ]; then
        set -- --shrink
    else
        set -- --verbose ${ONLY:+--only "$ONLY"}
    fi
    # shellcheck disable=SC2086 # words or none
    exec "$SIM" --seed "$SEED" $nodes "$@"
fi
SEEDS=${SEEDS:-1..500}
START=${START:-$(($(date +%s) * 1000))}
first=${SEEDS%%..*}
last=${SEEDS##*..}
if [ -z "${MINUTES:-}" ] && [ "$JOBS" -gt $((last - first + 1)) ]; then
    JOBS=$((last - first + 1))
fi
logs=$top/build/sim
mkdir -p "$logs"
rm -f "$logs"/*.log

job=0
while [ "$job" -lt "$JOBS" ]; do
    if [ -n "${MINUTES:-}" ]; then
        set -- --from $((START + job)) --minutes "$MINUTES"
    else
        set -- --seeds "$((first + job))..$last"
    fi
    # shellcheck disable=SC2086 # words or none
    "$SIM" "$@" --step "$JOBS" $nodes --brief >"$logs/$job.log" 2>&1 || true &
    job=$((job + 1))
done
wait
grep -hvE '^digest |^[0-9]+ passed, ' "$logs"/*.log || true
job=0
while [ "$job" -lt "$JOBS" ]; do
    # A process that did not come to its end has failed.
    tail -n 1 "$logs/$job.log" | grep -E '^[0-9]+ passed, ' || echo "0 passed, 1 failed"
    job=$((job + 1))
done | awk '{ passed += $1; failed += $3 }
    END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }'
