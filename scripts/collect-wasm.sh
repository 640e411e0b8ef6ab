#!/bin/sh
# Puts what a web server needs side by side: collect-wasm.sh WASM_BUILD OUT leaves OUT/dendrite.wasm,
# OUT/dendrite_sw.js, and OUT/next and OUT/foreign, the modules that tests of a swap use.
set -eu
from=$1
to=$2
[ -f "$from/dendrite.wasm" ] || {
    echo "collect-wasm: the homeserver is not in $from: src/hs has no sources yet" >&2
    exit 1
}
mkdir -p "$to"
for file in dendrite.wasm next/dendrite.wasm foreign/dendrite.wasm dendrite_sw.js; do
    mkdir -p "$(dirname "$to/$file")"
    # A new inode each time, so that a server never reads half a file.
    cp "$from/$file" "$to/$file.new"
    mv "$to/$file.new" "$to/$file"
done
echo "$to/dendrite.wasm: $(wc -c <"$to/dendrite.wasm") bytes, $(gzip -9 -c "$to/dendrite.wasm" |
    wc -c) with gzip; $to/dendrite_sw.js: $(wc -c <"$to/dendrite_sw.js") bytes"
