#!/bin/sh
# What has no place in the tree: paths of somebody's machine, host names of the package mirrors that
# this machine happens to use, files that outgrew a screen's worth of nouns, unfinished business.
# Another root as the first argument.
set -eu
top=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$top"
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# Tracked, or new and not ignored.
list() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do
    [ -f "$f" ] && printf '%s\n' "$f"; done; }

report() { sed "s/^/$1: /" >>"$found"; } # $1: what it is; standard input: where

self='scripts/check-hygiene\.sh:'

list | xargs grep -nIE '(^|[^A-Za-z0-9_.$}-])/(work|root|home)/[A-Za-z.]|/tmp/[A-Za-z]' |
    grep -v "^$self" | report "path of a machine" || true

# Mirrors: whatever apt and npm are told to use here, apart from the public ones.
mirrors() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
        2>/dev/null | sed -n '/^ *#/d; s#.*[a-z]://\([^/:" ]*\).*#\1#p'
    if command -v npm >/dev/null; then
        npm config get registry 2>/dev/null | sed -n 's#[a-z]*://\([^/:]*\).*#\1#p'
    fi
}
public='^(deb|security|ftp|snapshot)\.debian\.org$|^registry\.npmjs\.org$|^localhost$|^127\.'
for host in $(mirrors | sort -u | grep -vE "$public"); do
    list | xargs grep -nIF -e "$host" | report "mirror of this machine" || true
done

for file in $(list 'src/*.c' 'src/*.h' 'src/*.js' 'src/*.mjs' 'test/*.c' 'test/*.mjs' 'harness/*.ts' \
    'harness/*.mjs' 'scripts/*'); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || echo "$file: $lines lines"
done | report "longer than 600 lines"

list 'src/*' 'test/*' 'harness/*' 'scripts/*' 'web/*' 'riot-patches/*.sh' |
    xargs grep -nIE '\b(TODO|FIXME|XXX)\b' | grep -v "^$self" | report "unfinished business" || true

cat "$found"
[ ! -s "$found" ]
