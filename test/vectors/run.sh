#!/bin/sh
# Unpacks the golden data and checks all of it: run.sh PROGRAM MENDS.json
# The data is not part of the tree: VECTORS names its folder, ../shared/vectors unless set. Without
# it there is nothing to check, which exits 77 (skipped, and said so), or 1 if VECTORS was set.
set -eu

program=$1
mends=$2
folder=${VECTORS:-../shared/vectors}
if [ ! -d "$folder/events" ] || [ ! -d "$folder/rules" ]; then
    echo "SKIPPED: no golden data in $folder (set VECTORS to the folder with events/ and rules/)"
    [ -z "${VECTORS:-}" ] || exit 1
    exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "$folder"/events/*.json.gz "$folder"/rules/*.json.gz; do
    gzip -dc "$file" >"$work/$(basename "$file" .gz)"
done
"$program" "$mends" "$work"/*.json
