#!/bin/sh
# The whole stack as plain processes: builds what changed, starts relay and nginx, drives two browsers
# through the scenario, then goes on serving until Ctrl-C (ONCE=1: ends, with the scenario's status).
#   WEB_PORT (8080)   RELAY_PORT (9090)   ARTIFACTS (artifacts)   RELAY=npm: npm's relay, not ours
#   RELAY=cluster: three relays with a NATS between them, each browser at another one
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
WEB_PORT=${WEB_PORT:-8080}
RELAY_PORT=${RELAY_PORT:-9090}
export WEB_PORT ARTIFACTS="${ARTIFACTS:-$top/artifacts}"

say() { echo "demo: $*"; }
say "builds the homeserver, the relay and the client (10 to 20 minutes the first time, then seconds),"
say "serves http://localhost:$WEB_PORT, and drives Chromium and Firefox through it."

scripts/install-packages.sh native wasm web browser
[ "${RELAY:-}" != cluster ] || scripts/install-packages.sh cluster
# Before the long part: is PORT at ADDRESS free? NAME is who wants it, VARIABLE what changes it.
wants() { # NAME ADDRESS PORT VARIABLE
    node -e 'require("net").createServer().on("error", (e) => process.exit(e.code === "EADDRINUSE" ? 3 : 4))
        .listen(Number(process.argv[2]), process.argv[1], () => process.exit(0))' "$2" "$3" || {
        case $? in
        3) say "port $3 is taken, and $1 wants it: end what listens there, or choose another port, like $4=$(($3 + 10)) make demo" >&2 ;;
        *) say "$1 cannot listen on port $3: choose another one, like $4=8090 make demo" >&2 ;;
        esac
        exit 1
    }
}
wants "the page" 0.0.0.0 "$WEB_PORT" WEB_PORT
wants "the relay" 127.0.0.1 "$RELAY_PORT" RELAY_PORT

cluster=
if [ "${RELAY:-}" = cluster ]; then
    cluster="$((RELAY_PORT + 3)) $((RELAY_PORT + 1)) $((RELAY_PORT + 2))"
    for port in $cluster; do
        wants "the cluster" 127.0.0.1 "$port" RELAY_PORT
    done
fi

make --no-print-directory native wasm riot
[ -n "$(find harness/node_modules/.package-lock.json -newer harness/package-lock.json 2>/dev/null)" ] ||
    (cd harness && npm ci --ignore-scripts --no-audit --no-fund)

pids=
end() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in $pids; do
        wait "$pid" 2>/dev/null || true
    done
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p build/demo wasm
if [ "${RELAY:-}" = npm ]; then
    [ -d test/wire/node_modules ] ||
        (cd test/wire && npm ci --ignore-scripts --no-audit --no-fund)
    node test/wire/node_modules/.bin/rendezvous --port "$RELAY_PORT" --host 127.0.0.1 --disableMetrics >build/demo/relay.log 2>&1 &
else
    # shellcheck disable=SC2086 # ports
    build/rendezvous --port "$RELAY_PORT" --host 127.0.0.1 \
        ${cluster:+--cluster "nats://127.0.0.1:${cluster%% *}"} >build/demo/relay.log 2>&1 &
fi
pids="$pids $!"
relay=$!
addresses=127.0.0.1:$RELAY_PORT
if [ -n "$cluster" ]; then
    # shellcheck disable=SC2086 # ports
    scripts/cluster.sh $cluster >build/demo/cluster.log 2>&1 &
    pids="$pids $!"
    for port in ${cluster#* }; do
        addresses="$addresses 127.0.0.1:$port"
    done
fi
RELAY_ADDR=$addresses web/run-nginx.sh build/demo/web >build/demo/nginx.log 2>&1 &
pids="$pids $!"
nginx=$!

# Until both answer; a process that ended says why.
healthy() {
    name=$1 pid=$2 url=$3
    n=0
    until curl --silent --fail --output build/demo/health "$url"; do
        kill -0 "$pid" 2>/dev/null || {
            say "$name ended:" >&2
            cat "build/demo/$name.log" >&2
            exit 1
        }
        n=$((n + 1))
        [ "$n" -lt 100 ] || {
            say "$name does not answer at $url" >&2
            exit 1
        }
        sleep 0.1
    done
    say "$name is healthy"
}
healthy relay "$relay" "http://127.0.0.1:$RELAY_PORT/"
healthy nginx "$nginx" "http://127.0.0.1:$WEB_PORT/healthz"

status=0
NEURITE_URL=http://localhost:$WEB_PORT RELAY_URL=ws://127.0.0.1:$RELAY_PORT \
    NEURITE="$top/build/neurite" WASM_DIR="$top/wasm" WASM_NEXT="$top/build/next/dendrite.wasm" \
    WASM_FOREIGN="$top/build/foreign/dendrite.wasm" scripts/scenario.sh "${MODE:-once}" || status=$?
[ -z "${ONCE:-}" ] || exit "$status"
say "http://localhost:$WEB_PORT goes on being served; Ctrl-C ends it"
wait "$nginx" || exit $?
