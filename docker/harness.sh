#!/bin/sh
# The harness container: once (the scenario), or nightly. It starts as root, takes the owner of the
# mounted artifacts/ and becomes that user, so that the evidence belongs to the person who asked.
set -eu

ARTIFACTS=${ARTIFACTS:-/artifacts}
mkdir -p "$ARTIFACTS"
uid=$(stat -c %u "$ARTIFACTS")
gid=$(stat -c %g "$ARTIFACTS")
if [ "$uid" = 0 ]; then
    # The daemon made the folder, or its owner is root: then the evidence is for everybody to read.
    uid=1000
    gid=1000
fi
# With what an earlier run left there, perhaps as root: it is to be overwritten.
chown -R "$uid:$gid" "$ARTIFACTS" || true
home=$(mktemp -d)
chown "$uid:$gid" "$home"
export HOME="$home" ARTIFACTS NEURITE_URL="${NEURITE_URL:-http://localhost:8080}"
export RELAY_URL="${RELAY_URL:-ws://relay:9090}" NEURITE=/neurite/build/neurite
export WASM_DIR="${WASM_DIR:-/srv/wasm}" WASM_NEXT=/neurite/build/next/dendrite.wasm
export WASM_FOREIGN=/neurite/build/foreign/dendrite.wasm
as() { setpriv --reuid "$uid" --regid "$gid" --clear-groups "$@"; }
if [ -d "$WASM_DIR" ]; then
    chown "$uid:$gid" "$WASM_DIR"
fi

case ${1:-once} in
once) as /neurite/scripts/scenario.sh ;;
nightly) as /neurite/scripts/scenario.sh nightly ;;
*) exec "$@" ;;
esac
