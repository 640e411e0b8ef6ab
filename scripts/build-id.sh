#!/bin/sh
# Names a build by what goes into it, so that two builds of the same sources have one name, and an
# open tab sees each other one: VERSION-HASH.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(neurite VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
hash=$(find CMakeLists.txt cmake src scripts/deps.txt -type f | LC_ALL=C sort | xargs sha256sum |
    sha256sum | cut -c 1-12)
echo "$version-$hash"
