#!/bin/sh
# TAP: many seeds in the optimised simulator, and what another optimisation level makes of some.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
swift=$top/build/release/sim
careful=$top/build/dev/sim
SEEDS=${SEEDS:-1..500}
status=0

digest() { "$1" --seeds "$2" --once --brief | grep '^digest '; }

echo "1..2"
if SIM=$swift SEEDS=$SEEDS "$top/scripts/sim.sh"; then
    echo "ok 1 - nothing acknowledged is lost in seeds $SEEDS"
else
    echo "not ok 1 - nothing acknowledged is lost in seeds $SEEDS"
    status=1
fi
one=$(digest "$swift" 501..508)
other=$(digest "$careful" 501..508)
if [ -n "$one" ] && [ "$one" = "$other" ]; then
    echo "ok 2 - seeds 501..508 leave the same traces with -O2 and with -O1 and sanitizers"
else
    echo "not ok 2 - seeds 501..508 leave the same traces with -O2 and with -O1 and sanitizers"
    echo "# $one and $other"
    status=1
fi
exit "$status"
