#!/bin/sh
# Measures, and prints a table: our figures, a peer's from the same run, how many times better, the aim.
#   bench.sh [PART...]   sizes cost native synapse federation relay cold latency; all of them without one
#     sizes    what a browser fetches              native   the native homeserver under load
#     cost     instructions of a message, on an empty server and on a full one (a gigabyte, made once)
#     synapse  a real Synapse under the same load  relay    our relay beside npm's
#     federation  joins of a large room, ours and Synapse's; messages to three servers, and to one that
#              was away; state resolution of forks
#     cold     the worker in both browsers: cold starts with small and large databases, commits
#     latency  browser to browser: from fetch to sync, and from Enter to seen
# Nothing is judged by time. The status is 1 when something could not be measured because of an error;
# what cannot be there (Synapse without root) is a sentence. build/bench keeps bench.json and trend.jsonl.
#   COST_EVENTS (1000000)  of the full server   FEDERATION_MEMBERS, FEDERATION_MISSED (10000)
#   SECONDS (5)  of each load   LATENCY_SAMPLES (50)   BENCH_PORT (18700): the first of a hundred ports
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
[ $# -gt 0 ] || set -- sizes cost native synapse federation relay cold latency
BENCH_PORT=${BENCH_PORT:-18700}
export BENCH_PORT SITE_PORT="$((BENCH_PORT + 20))"

say() { echo "bench: $*"; }
wants() { case " $parts " in *" $1 "*) ;; *) return 1 ;; esac }
parts=$*

node_packages() {
    [ -n "$(find "$1/node_modules/.package-lock.json" -newer "$1/package-lock.json" 2>/dev/null)" ] ||
        (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund)
}

say "measures $parts; builds first what is not there (10 to 20 minutes from nothing)"
targets=
if wants cost || wants native || wants federation || wants relay || wants latency; then targets="$targets native"; fi
if wants sizes || wants cold || wants latency; then targets="$targets wasm"; fi
if wants latency; then targets="$targets riot"; fi
# shellcheck disable=SC2086 # a list of targets
[ -z "$targets" ] || make --no-print-directory $targets
if wants cold || wants latency; then scripts/install-packages.sh web browser; fi
if wants cost; then
    scripts/install-packages.sh bench
fi
if wants cost || wants federation; then cmake --build --preset release --target cost forks; fi
node_packages harness
if wants relay; then
    cmake --build --preset release --target crowd
    node_packages test/wire
fi

# The password's hash is not what is compared, so both have it as cheap as it goes.
fresh_synapse() {
    SYNAPSE_BCRYPT_ROUNDS=4 SYNAPSE_ROOT="$synapse_root" scripts/synapse.sh setup "$@"
    scripts/synapse.sh reset "$1"
}
if wants synapse || wants federation; then
    if SYNAPSE_WHY=$(scripts/synapse.sh can); then
        SYNAPSE=${SYNAPSE:-$top/build/bench/synapse}
        synapse_root=${SYNAPSE_ROOT:-$SYNAPSE/root}
        if wants synapse; then fresh_synapse "$SYNAPSE" "$((BENCH_PORT + 8))" localhost; fi
        if wants federation; then
            FEDERATION=$top/build/bench/federation
            federation_port=$((BENCH_PORT + 60))
            fresh_synapse "$FEDERATION" "$((BENCH_PORT + 9))" "localhost:$federation_port" "$federation_port"
            export FEDERATION
        fi
        export SYNAPSE
    fi
    export SYNAPSE_WHY
fi

# shellcheck disable=SC2086 # a list of parts
BUILD_ID=$(scripts/build-id.sh) exec node harness/bench/main.mjs $parts
