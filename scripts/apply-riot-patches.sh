#!/bin/sh
# Applies riot-patches/series, in order, onto a tree of riot-web's npm package, and puts our own files
# into it. Paths in the patches are relative to that tree; node_modules/matrix-react-sdk and
# node_modules/matrix-js-sdk must be in it, as copies that may be changed.
#
#   apply-riot-patches.sh TREE
#
# A hunk that does not apply exactly (no fuzz) ends it: a patch for another release is worse than none.
set -eu

[ $# -eq 1 ] || {
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
patches=$(cd "$(dirname "$0")/../riot-patches" && pwd)
tree=$1
[ -f "$tree/webpack.config.js" ] || {
    echo "apply-riot-patches: $tree is no tree of riot-web (it has no webpack.config.js)" >&2
    exit 2
}

while read -r name; do
    case $name in '' | '#'*) continue ;; esac
    echo "riot: patch $name"
    if ! patch --directory="$tree" --strip=1 --fuzz=0 --forward --batch --silent \
        --no-backup-if-mismatch --reject-file=- <"$patches/$name"; then
        echo "apply-riot-patches: $name does not apply to this release of riot-web" >&2
        exit 1
    fi
done <"$patches/series"

cp -R "$patches/files/." "$tree/"
