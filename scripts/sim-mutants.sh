#!/bin/sh
# Shows that the simulator can see: applies each patch of test/sim/mutants to a copy of the tree,
# builds the simulator, and runs seeds until one fails. Names of mutants as arguments: only those.
#   SEEDS=n   how many seeds a mutant gets (400)
# A line for each, then "N caught, N not"; what a seed said is kept in build/mutants/NAME.log.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"
SEEDS=${SEEDS:-400}
JOBS=${JOBS:-$(nproc)}
work=$top/build/mutants
tree=$work/tree
caught=0
missed=0

# Newer than anything built before, also than what a mutant left there.
rm -rf "$tree"
mkdir -p "$tree"
cp -R src test cmake CMakeLists.txt "$tree/"
cmake -S "$tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DNEURITE_DEPS="${NEURITE_DEPS:-$top/build/deps}" >/dev/null

build() { cmake --build "$work/build" -j "$JOBS" --target sim >"$work/build.log" 2>&1; }

# Prints the first seed from $2 to $4 (SEEDS) that program $1 fails; false: none. Output goes to $3.
first_failure() {
    status=0
    # shellcheck disable=SC2086 # words
    "$1" --seeds "$2".."${4:-$SEEDS}" $options --once --first >"$3" 2>&1 || status=$?
    [ "$status" -ne 0 ] || return 1
    # It says of itself which seed failed, unless it died on it.
    sed -n 's/^seed \([0-9]*\) fails.*/\1/p' "$3" | grep . ||
        sed -n 's/^seed \([0-9]*\): .*/\1/p' "$3" | tail -n 1 | awk -v first="$2" '
            { n = $1 } END { print n == "" ? first : n + 1 }'
}

mutant() { # NAME
    patch=test/sim/mutants/$1.patch
    log=$work/$1.log
    options=$(sed -n 's/^Seeds: *//p' "$patch")
    if ! patch -s -d "$tree" -p1 <"$patch" >"$log" 2>&1 || ! build; then
        printf '%-20s does not apply or build; see %s\n' "$1" "$log $work/build.log"
        patch -s -R -f -d "$tree" -p1 <"$patch" >/dev/null 2>&1 || true
        return 1
    fi
    patch -s -R -d "$tree" -p1 <"$patch"
    from=1
    while seed=$(first_failure "$work/build/sim" "$from" "$log"); do
        # A seed counts when the tree itself passes it.
        if ! first_failure "$work/sim" "$seed" "$log.plain" "$seed" >/dev/null; then
            said=$(grep -m 1 -E '^seed [0-9]+ at |Assertion' "$log" || tail -n 1 "$log")
            printf '%-20s seed %-4s %s\n' "$1" "$seed" "$(printf '%s' "$said" | cut -c 1-140)"
            return 0
        fi
        from=$((seed + 1))
    done
    printf '%-20s not seen in %s seeds\n' "$1" "$SEEDS"
    return 1
}

if ! build; then
    tail -n 20 "$work/build.log"
    exit 1
fi
cp "$work/build/sim" "$work/sim"
[ $# -gt 0 ] || set -- test/sim/mutants/*.patch
for name; do
    if mutant "$(basename "$name" .patch)"; then
        caught=$((caught + 1))
    else
        missed=$((missed + 1))
    fi
done
echo "$caught caught, $missed not"
[ "$missed" -eq 0 ]
