#!/bin/sh
# NATS and the further relays of a cluster, as plain processes, until SIGTERM:
#   scripts/cluster.sh NATS_PORT RELAY_PORT...
#   LOGS (build/demo)   RESTLESS=1: every 20 s one of them is killed and started again, in turn
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
LOGS=${LOGS:-build/demo}
nats_port=$1
shift

# Starts what the pid is kept of in $LOGS/NAME.pid.
start() { # NAME COMMAND...
    name=$1
    shift
    "$@" >>"$LOGS/$name.log" 2>&1 &
    echo $! >"$LOGS/$name.pid"
}
start_nats() { start nats nats-server -a 127.0.0.1 -p "$nats_port"; }
start_relay() { # PORT
    start "relay-$1" build/rendezvous --port "$1" --host 127.0.0.1 \
        --cluster "nats://127.0.0.1:$nats_port"
}
kill_one() { # NAME SIGNAL
    kill "-$2" "$(cat "$LOGS/$1.pid")" 2>/dev/null || true
    wait "$(cat "$LOGS/$1.pid")" 2>/dev/null || true
}

end() {
    for name in nats $relays; do
        kill_one "$name" TERM
    done
}
relays=
trap end EXIT
trap 'exit 143' TERM

start_nats
for port; do
    start_relay "$port"
    relays="$relays relay-$port"
done
while :; do
    for port in "$@" nats; do
        # In the background, so that a signal ends the wait.
        sleep 20 &
        wait $! || true
        [ -n "${RESTLESS:-}" ] || continue
        if [ "$port" = nats ]; then
            kill_one nats KILL
            start_nats
        else
            kill_one "relay-$port" KILL
            start_relay "$port"
        fi
        echo "cluster: $port was killed and is started again"
    done
done
