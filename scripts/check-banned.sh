#!/bin/sh
# Looks for the words of scripts/banned.txt in the C below src/. Another root as the first argument.
set -eu
top=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$top"
# shellcheck disable=SC2046 # our file names have no spaces
awk '
    FNR == 1 { file = FILENAME; comment = 0 }
    file == "scripts/banned.txt" {
        if ($0 ~ /^#/ || NF == 0) next
        fields = split($0, f, / \| /)
        if (sub(/ \|$/, "", f[1]) || fields < 3) { # an empty second field
            text = $0; at = index(text, " | | ")
            f[1] = substr(text, 1, at - 1); f[2] = ""; f[3] = substr(text, at + 5)
        }
        n++; word[n] = f[1]; allowed[n] = f[2]; why[n] = f[3]
        next
    }
    {
        # Blank out strings, characters and comments.
        line = $0; code = ""
        while (line != "") {
            if (comment) {
                at = index(line, "*/")
                if (at == 0) { line = ""; break }
                line = substr(line, at + 2); comment = 0
            } else if (match(line, /"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047|\/\*|\/\//)) {
                code = code substr(line, 1, RSTART - 1) " "
                token = substr(line, RSTART, 2)
                line = substr(line, RSTART + RLENGTH)
                if (token == "/*") comment = 1
                else if (token == "//") line = ""
            } else { code = code line; line = "" }
        }
        gsub(/crypto_[a-z0-9_]*_seed_keypair/, "seed", code)
        exempt = file ~ /^src\/host\// || file ~ /^src\/relay\/(main|lws|tls)\.c$/ || file ~ /_test\.c$/
        lines++
        for (i = 1; i <= n; i++) {
            if (exempt && allowed[i] == "") continue
            if (allowed[i] != "" && index(" " file, " " allowed[i]) > 0) continue
            if (exempt && allowed[i] != "nowhere") continue
            if (match(" " code " ", "(^|[^A-Za-z0-9_.>])" word[i] "([^A-Za-z0-9_]|$)") ||
                (word[i] ~ /\($/ && match(" " code " ", "(^|[^A-Za-z0-9_.>])" word[i]))) {
                print file ":" FNR ": " substr(" " code " ", RSTART + 1, RLENGTH - 1) " - " why[i]
                failed++
            }
        }
    }
    END {
        if (n == 0 || lines == 0) { print "nothing was looked at: is this the right folder?"; failed++ }
        exit failed > 0
    }' scripts/banned.txt $(find src -name '*.[ch]' | sort)
