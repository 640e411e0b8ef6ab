#!/bin/sh
# The compose stack as a person starts it, but ending after the scenario with its exit status:
#   scripts/compose.sh            the scenario; WEB_PORT, RELAY_PORT: as in docker-compose.yml
#   scripts/compose.sh nightly    what `docker compose run --rm harness nightly` does; ROUNDS=1: shorter
# Installs Docker when there is none, starts its daemon by hand when none runs (as root, and ends it
# again), and makes the base image locally when it is not there, so that CI needs no registry of images.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
say() { echo "compose: $*"; }

scripts/install-packages.sh docker
if docker compose version >/dev/null 2>&1; then
    compose="docker compose"
else
    compose=docker-compose
fi

daemon=
started=
# shellcheck disable=SC2317 # the trap calls it
end() {
    [ -z "$started" ] || $compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p build
if ! docker info >/dev/null 2>&1; then
    say "no Docker daemon answers, starting one (its log: build/dockerd.log)"
    dockerd >build/dockerd.log 2>&1 &
    daemon=$!
    n=0
    until docker info >/dev/null 2>&1; do
        if [ "$n" -ge 60 ] || ! kill -0 "$daemon" 2>/dev/null; then
            say "the daemon does not start:" >&2
            tail -n 20 build/dockerd.log >&2
            exit 1
        fi
        n=$((n + 1))
        sleep 1
    done
fi
scripts/local-base-image.sh trixie

began=$(date +%s)
say "building the images"
$compose build >build/compose-build.log 2>&1 || {
    tail -n 60 build/compose-build.log >&2
    say "the images cannot be built; the whole log is build/compose-build.log" >&2
    exit 1
}
say "images built in $((($(date +%s) - began) / 60)) minutes"
started=1
status=0
if [ $# -eq 0 ]; then
    set -- up --exit-code-from harness
else
    set -- run --rm ${ROUNDS:+-e ROUNDS="$ROUNDS"} harness "$@"
fi
$compose "$@" || status=$?
say "$compose $* ended with status $status"
exit "$status"
