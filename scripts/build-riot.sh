#!/bin/sh
# Builds the client: riot-web's npm package, at the versions that riot-patches/package-lock.json pins,
# with the patches of riot-patches/series. Leaves the pages in build/riot. Two to three minutes the
# first time; with nothing changed it does nothing.
#
#   build-riot.sh            all of it
#   build-riot.sh packages   only node_modules, which a change of the patches leaves as they are
#
#   RIOT_OUT    where the pages go (default build/riot)
#   RIOT_CACHE  node_modules and the tree that is built (default build/cache/riot)
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
patches=$top/riot-patches
out=${RIOT_OUT:-$top/build/riot}
cache=${RIOT_CACHE:-$top/build/cache/riot}
release=1.7.14
oldest_node=16

say() {
    echo "riot: $*"
}

die() {
    echo "build-riot: $*" >&2
    exit 1
}

# The named Debian packages, if any of the commands they bring is missing.
need() {
    command=$1
    shift
    if command -v "$command" >/dev/null; then
        return
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        die "$command is missing; on Debian: apt-get install $*"
    fi
    say "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# One hash over names and contents of all that decides what the build gives.
hash_inputs() {
    (
        cd "$top"
        {
            find riot-patches -type f ! -name README.md ! -name tsconfig.json \
                ! -name lock.mjs ! -name overrides.json
            echo scripts/build-riot.sh
            echo scripts/apply-riot-patches.sh
        } | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-16
    )
}

# node_modules, at the versions of the lock. riot-web itself is one of them.
install_packages() {
    wanted=$(sha256sum <"$patches/package-lock.json")
    if [ "$(cat "$cache/packages/.installed" 2>/dev/null)" = "$wanted" ]; then
        say "packages are there"
        return
    fi
    say "installing packages (a minute, 250 MB in $cache)"
    rm -rf "$cache/packages"
    mkdir -p "$cache/packages"
    cp "$patches/package.json" "$patches/package-lock.json" "$cache/packages/"
    (
        cd "$cache/packages"
        npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund --loglevel=error
    )
    echo "$wanted" >"$cache/packages/.installed"
}

# A fresh tree of the release. Packages are linked, not copied, but for the two that get patched.
make_tree() {
    say "unpacking riot-web $release"
    tree=$cache/tree
    rm -rf "$tree"
    cp -R "$cache/packages/node_modules/riot-web" "$tree"
    cp -Rl "$cache/packages/node_modules" "$tree/node_modules" 2>/dev/null || {
        rm -rf "$tree/node_modules"
        cp -R "$cache/packages/node_modules" "$tree/node_modules" # a file system without links
    }
    for package in matrix-react-sdk matrix-js-sdk; do
        rm -rf "$tree/node_modules/$package"
        cp -R "$cache/packages/node_modules/$package" "$tree/node_modules/$package"
    done
    cp "$patches/babel.config.js" "$tree/"
}

# The list of components in the package is stale. The script that makes it renames its temporary file
# before its stream has made it, and then ends in ENOENT with the file left beside.
make_component_index() {
    rm -f src/component-index.js
    node node_modules/matrix-react-sdk/scripts/reskindex.js -h src/header >/dev/null 2>&1 || true
    if [ -f src/component-index.js.tmp ]; then
        mv src/component-index.js.tmp src/component-index.js
    fi
    [ -s src/component-index.js ] || die "reskindex made no src/component-index.js"
}

# Prints every tenth per cent of webpack's progress; its whole output goes to the log.
compile() {
    say "compiling (one to two minutes)"
    status=$cache/webpack.status
    log=$cache/webpack.log
    {
        result=0
        node node_modules/webpack/bin/webpack.js --progress --bail --mode production 2>&1 || result=$?
        echo "$result" >"$status"
    } | tee "$log" | awk '
        match($0, /[0-9]+%/) {
            tens = int(substr($0, RSTART, RLENGTH) / 10)
            if (tens > shown) { shown = tens; print "riot: " tens * 10 " %"; fflush() }
        }'
    if [ "$(cat "$status")" != 0 ]; then
        tail -n 40 "$log" >&2
        die "webpack failed; its whole output is in $log"
    fi
}

case $*:$# in
:0 | packages:1) ;;
*) die "what is \"$*\"? The words it knows are at the top of this script" ;;
esac

version=$release+neurite.$(hash_inputs)
if [ -f "$out/index.html" ] && [ "$(cat "$out/version" 2>/dev/null)" = "$version" ]; then
    say "$out is up to date ($version)"
    exit 0
fi

need node nodejs npm
need npm nodejs npm
need patch patch
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$oldest_node" ] ||
    die "node $oldest_node or newer is needed, this is $(node --version)"

say "building $version into $out"
install_packages
if [ "${1:-}" = packages ]; then
    exit 0
fi
make_tree
sh "$top/scripts/apply-riot-patches.sh" "$tree"
cd "$tree"
# webpack 4 hashes with MD4, which OpenSSL 3 only has as a legacy algorithm.
export NODE_OPTIONS=--openssl-legacy-provider DISABLE_V8_COMPILE_CACHE=1
make_component_index
say "copying resources"
node scripts/copy-res.js >/dev/null
compile
[ -f webapp/index.html ] || die "webpack left no webapp/index.html"
echo "$version" >webapp/version

mkdir -p "$(dirname "$out")"
rm -rf "$out.new"
cp -R webapp "$out.new"
rm -rf "$out"
mv "$out.new" "$out"
rm -rf "$tree"
say "done: $out ($(du -sh "$out" | cut -f 1))"
