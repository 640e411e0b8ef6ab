#!/bin/sh
# The linters as tests, in TAP: scripts/lint.sh [NAME...], all of them without a name. A tool that is
# not installed is a "# SKIP", which scripts/run-tests.sh counts as a failure under STRICT=1.
#
# clang-tidy, cppcheck and gcc's analyzer read the list of files of build/lint, which is configured
# here when it is not there; LINT_BUILD names another build folder.
# shellcheck disable=SC2317 # the functions are called by name
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
build=${LINT_BUILD:-$top/build/lint}
jobs=${JOBS:-$(nproc)}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Tracked files, and new ones that are not ignored, that match.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do
    [ -f "$f" ] && printf '%s\n' "$f"; done; }

configure() {
    cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang \
        ${NEURITE_DEPS:+-DNEURITE_DEPS="$NEURITE_DEPS"} && cmake --build "$build" --target generated
}

# C files of ours that are compiled natively; $1: an expression for files to leave out.
compiled() {
    if [ ! -f "$build/compile_commands.json" ] || [ -z "${LINT_BUILD:-}" ]; then
        if ! configure >"$build.log" 2>&1; then
            cat "$build.log" >&2
            return 1
        fi
    fi
    sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$build/compile_commands.json" |
        grep -E "^$top/(src|test)/" | grep -vE "$1" | sort -u
}

need() {
    for tool; do
        command -v "$tool" >/dev/null || { echo "$tool is not installed" && return 77; }
    done
}

lint_layers() { scripts/check-layers.sh; }
lint_banned() { scripts/check-banned.sh; }
lint_hygiene() { scripts/check-hygiene.sh; }

lint_clang_format() {
    tool=clang-format-14 # versions disagree, so one is the judge
    need "$tool" || return
    # shellcheck disable=SC2046 # our file names have no spaces
    $tool --dry-run --Werror $(files '*.c' '*.h')
}

lint_clang_tidy() {
    need clang-tidy || return
    list=$(compiled '^$') || return 1
    tests='_test\.c$|/test/' # a test may be as long as its table
    status=0
    printf '%s\n' "$list" | grep -vE "$tests" |
        xargs -P "$jobs" -n 4 clang-tidy --quiet -p "$build" 2>/dev/null || status=1
    printf '%s\n' "$list" | grep -E "$tests" | xargs -r -P "$jobs" -n 4 clang-tidy --quiet \
        -p "$build" --checks=-readability-function-\* 2>/dev/null || status=1
    return "$status"
}

lint_cppcheck() {
    need cppcheck || return
    list=$(compiled '_test\.c$|/test/') || return 1
    printf '%s\n' "$list" | cppcheck --quiet --std=c11 --enable=warning,performance,portability \
        --inline-suppr -Isrc -I. -j "$jobs" --error-exitcode=1 --template=gcc --file-list=-
}

lint_gcc_analyzer() {
    need gcc || return
    list=$(compiled '_test\.c$|/test/') || return 1
    deps=${NEURITE_DEPS:-$top/build/deps}
    printf '%s\n' "$list" | xargs -P "$jobs" -n 1 gcc -std=gnu11 -O1 -fanalyzer -Werror \
        -Wno-attributes -Isrc -I. -isystem "$deps/sqlite" -isystem "$deps/picohttp" \
        -I"$build/src/store" -I"$build/src/host/native" -DNEURITE_BUILD_ID='""' -c -o /dev/null
}

lint_shellcheck() {
    need shellcheck || return
    files '*.sh' '.ci/run' 'docker/*' | while read -r f; do
        head -n 1 "$f" | grep -q '^#!.*sh' && printf '%s\n' "$f"
    done | xargs shellcheck
}

lint_mandoc() {
    need mandoc || return
    files 'docs/*.1' | xargs mandoc -T lint -W warning
}

lint_prettier() {
    need node || return
    [ -d node_modules/prettier ] || { echo "run npm ci" && return 77; }
    files '*.js' '*.mjs' '*.cjs' '*.ts' | xargs -r node_modules/.bin/prettier --check --log-level warn
}

lint_typescript() {
    need node || return
    [ -d node_modules/typescript ] || { echo "run npm ci" && return 77; }
    status=0
    for config in $(files '*tsconfig.json'); do
        node_modules/.bin/tsc -p "$config" || status=1
    done
    return "$status"
}

all="layers banned hygiene clang_format clang_tidy cppcheck gcc_analyzer shellcheck mandoc prettier typescript"
[ $# -gt 0 ] || eval "set -- $all"
mkdir -p "$top/build"
echo "1..$#"
n=0
failed=0
for name; do
    n=$((n + 1))
    "lint_$name" >"$out" 2>&1
    case $? in
    0) echo "ok $n - $name finds nothing" ;;
    77) echo "ok $n - $name # SKIP $(head -n 1 "$out")" ;;
    *)
        head -n 200 "$out" | sed 's/^/# /'
        echo "not ok $n - $name finds nothing"
        failed=$((failed + 1))
        ;;
    esac
done
exit $((failed > 0))
