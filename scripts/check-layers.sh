#!/bin/sh
# Checks each #include below src/ against scripts/layers.txt. Another root as the first argument.
set -eu
top=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$top"
find src -name '*.[ch]' | sort | xargs grep -HnE '^[[:space:]]*#[[:space:]]*include' | awk '
    function bad(why) { print where ": " why; failed++ }
    function within(file, places,    i, n, list) {
        n = split(places, list, " ")
        for (i = 1; i <= n; i++)
            if (file == list[i] || index(file, list[i] "/") == 1) return 1
        return 0
    }
    FILENAME != "-" {
        if ($0 ~ /^#/ || NF == 0) next
        key = $0; sub(/:.*/, "", key)
        value = $0; sub(/^[^:]*:[ ]*/, "", value)
        if (sub(/^layer /, "", key)) layer[key] = " " key " " value " "
        else if (sub(/^open /, "", key)) open[key] = " " value " "
        else if (sub(/^lib /, "", key)) lib[key] = value
        else if (key == "std") std = " " value " "
        else if (key == "system") places = value
        else { print "layers.txt: what is \"" $0 "\"?"; failed++ }
        next
    }
    {
        split($0, part, ":")
        file = part[1]; where = part[1] ":" part[2]
        if (!match($0, /["<][^">]+[">]/)) { bad("an include that I cannot read"); next }
        name = substr($0, RSTART + 1, RLENGTH - 2)
        ours = substr($0, RSTART, 1) == "\""
        from = file; sub(/^src\//, "", from); sub(/\/.*/, "", from)
        to = name; sub(/\/.*/, "", to)
        checked++
        if (!(from in layer)) bad("folder " from " is not in layers.txt")
        else if (name in lib) { if (!within(file, lib[name])) bad(name " belongs to " lib[name]) }
        else if (ours && name == "test/test.h") { if (file !~ /_test\.c$/) bad("test/test.h outside a test") }
        else if (ours && name == "test/rng.h") { if (file !~ /_(test|model)\.[ch]$/) bad("test/rng.h outside a test") }
        else if (ours && to == name) bad("\"" name "\" is not written from src/")
        else if (name in open && index(open[name], " " from " ") > 0) next
        else if (ours) { if (index(layer[from], " " to " ") == 0) bad(from " may not include " name) }
        else if (index(std, " " name " ") == 0 && !within(file, places)) bad("<" name "> belongs to a host")
    }
    END {
        if (checked == 0) { print "no include found: is this the right folder?"; failed++ }
        exit failed > 0
    }' scripts/layers.txt -
