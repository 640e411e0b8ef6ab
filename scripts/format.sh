#!/bin/sh
# Rewrites the sources in the house's style, which scripts/lint.sh checks.
set -eu
cd "$(dirname "$0")/.."
clang_format=$(command -v clang-format-14) || {
    echo "format: clang-format 14 is the judge of style and is not installed" >&2
    exit 1
}
git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h' | xargs -0 -r "$clang_format" -i
git ls-files -z --cached --others --exclude-standard -- '*.js' '*.mjs' '*.cjs' '*.ts' |
    xargs -0 -r node_modules/.bin/prettier --write --log-level warn
