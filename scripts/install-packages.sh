#!/bin/sh
# Installs the Debian packages that the groups named need and that are not there yet:
#   scripts/install-packages.sh native wasm lint bench web browser cluster docker
# As root, or through sudo. Says what it installs; says nothing when all is there.
set -eu

packages_of() {
    case $1 in
    native) echo build-essential curl cmake ninja-build pkg-config git ca-certificates openssl dpkg-dev \
        libsodium-dev libcjson-dev libwebsockets-dev libwebsockets-evlib-ev libev-dev libssl-dev libc-ares-dev libcap-dev \
        libnats-dev nodejs npm ;;
    wasm) echo emscripten ;;
    lint) echo clang clang-tidy clang-format-14 libclang-rt-14-dev cppcheck shellcheck mandoc git ;;
    bench) echo valgrind ;;
    web) echo nginx-light nodejs npm brotli ;;
    browser) echo chromium firefox-esr ffmpeg fonts-dejavu-core fonts-noto-color-emoji ;;
    cluster) echo nats-server ;;
    docker) echo docker.io docker-compose debootstrap ;;
    *)
        echo "install-packages: there is no group $1" >&2
        return 1
        ;;
    esac
}

# There already, as a package, or as a program that came from elsewhere.
have() {
    case $1 in
    nodejs) command -v node >/dev/null && return ;;
    npm) command -v npm >/dev/null && return ;;
    nginx-light) command -v nginx >/dev/null && return ;;
    docker.io) command -v dockerd >/dev/null && return ;;
    docker-compose) docker compose version >/dev/null 2>&1 && return ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

wanted=
for group; do
    list=$(packages_of "$group")
    for package in $list; do
        have "$package" || wanted="$wanted $package"
    done
done
[ -n "$wanted" ] || exit 0

command -v apt-get >/dev/null || {
    echo "install-packages: this needs Debian's packages$wanted, and there is no apt-get" >&2
    exit 1
}
root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "install-packages: as root, please: apt-get install$wanted" >&2
        exit 1
    }
    root=sudo
fi

$root apt-get -qq update
# Debian 13 has no version 14 of the tools that judge style; there they are not needed to build.
there=
for package in $wanted; do
    case $package in
    *-14 | *-14-*)
        [ -n "$(apt-cache --quiet=2 show "$package" 2>/dev/null)" ] || {
            echo "install-packages: $package is not in this Debian, going on without it"
            continue
        }
        ;;
    esac
    there="$there $package"
done
echo "install-packages: installing$there (a few minutes)"
# shellcheck disable=SC2086 # a list of packages
$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y $there \
    >/dev/null
