#!/bin/sh
# Serves the client, the service worker and the wasm, in the foreground; all of nginx.conf.template's
# settings come from the environment. Needs no root. SIGTERM or SIGQUIT ends it.
#
#   run-nginx.sh [PREFIX]      PREFIX: where nginx writes (default build/web)
#
#   WEB_PORT     port to listen on (8080)          RELAY_ADDR   host:port of the relay (127.0.0.1:9090)
#   WEB_ADDR     address to listen on (all)        WASM_DIR     a dendrite.wasm of your own (./wasm)
#   RIOT_DIR     the client (build/riot)           BUILTIN_DIR  where the built-in one is (build)
#   WORKER_JS    the worker (build/dendrite_sw.js) ACCESS_LOG   a file, or off (off)
#   TLS_CERT, TLS_KEY  PEM files: serve HTTPS, so that other machines' browsers take the page
#   CHECK=1      only check the configuration
#
# RELAY_ADDR may be several, with spaces between: relays of one cluster, taken in turn.
set -eu

web=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$web")
prefix=${1:-$top/build/web}
WEB_PORT=${WEB_PORT:-8080}
RELAY_ADDR=${RELAY_ADDR:-127.0.0.1:9090}
RIOT_DIR=${RIOT_DIR:-$top/build/riot}
WORKER_JS=${WORKER_JS:-$top/build/dendrite_sw.js}
WASM_DIR=${WASM_DIR:-$top/wasm}
BUILTIN_DIR=${BUILTIN_DIR:-$top/build}
STATIC_DIR=${STATIC_DIR:-$web/static}
ACCESS_LOG=${ACCESS_LOG:-off}

die() {
    echo "run-nginx: $*" >&2
    exit 1
}

# A name is looked up again every few seconds, as the relay may come back at another address. nginx
# does that by DNS alone, so a name that is only in /etc/hosts is not for it, localhost apart.
relay_host=${RELAY_ADDR%:*}
resolver=
upstream=
case $relay_host in
*' '*)
    for address in $RELAY_ADDR; do
        upstream="$upstream server $address;"
    done
    upstream="upstream relays {$upstream }"
    RELAY_ADDR=relays
    ;;
localhost) RELAY_ADDR=127.0.0.1:${RELAY_ADDR##*:} ;;
*[!0-9.]*)
    server=$(awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf)
    [ -n "$server" ] || die "RELAY_ADDR is a name ($relay_host) and /etc/resolv.conf has no name server"
    case $server in *:*) server="[$server]" ;; esac
    resolver="resolver $server valid=5s ipv6=off;"
    ;;
esac

# One line of sed for a setting of the template.
fill() {
    case $2 in
    *'|'* | *'&'* | *\\* | *'"'*) die "$1 has a character that is not for a configuration: $2" ;;
    esac
    echo "s|\${$1}|$2|g"
}

tls=
listen=${WEB_ADDR:+$WEB_ADDR:}$WEB_PORT
if [ -n "${TLS_CERT:-}" ]; then
    for file in "$TLS_CERT" "${TLS_KEY:-}"; do
        [ -r "$file" ] || die "TLS_CERT and TLS_KEY have to be files, both"
    done
    listen="$listen ssl"
    tls="ssl_certificate $(realpath "$TLS_CERT"); ssl_certificate_key $(realpath "$TLS_KEY");"
fi

[ -f "$RIOT_DIR/index.html" ] || die "no client in $RIOT_DIR; scripts/build-riot.sh makes it"
mkdir -p "$prefix/tmp"
prefix=$(cd "$prefix" && pwd)
{
    fill LISTEN "$listen"
    fill TLS "$tls"
    fill RELAY_ADDR "$RELAY_ADDR"
    fill RESOLVER "$resolver"
    fill UPSTREAM "$upstream"
    fill RIOT_DIR "$RIOT_DIR"
    fill WORKER_JS "$WORKER_JS"
    fill WASM_DIR "$WASM_DIR"
    fill BUILTIN_DIR "$BUILTIN_DIR"
    fill STATIC_DIR "$STATIC_DIR"
    fill ACCESS_LOG "$ACCESS_LOG"
    echo '/^#/d' # the manual above names the settings, too
} >"$prefix/nginx.sed"
sed -f "$prefix/nginx.sed" "$web/nginx.conf.template" >"$prefix/nginx.conf"

directives="daemon off;"
if [ "$(id -u)" = 0 ]; then
    # Started by root, nginx would serve as nobody, who may not be let into the directories.
    directives="$directives user $(stat -L -c '%U %G' "$web");"
fi
nginx=$(command -v nginx || echo /usr/sbin/nginx)
if [ "${CHECK:-}" = 1 ]; then
    exec "$nginx" -p "$prefix" -e stderr -c nginx.conf -g "$directives" -t
fi
exec "$nginx" -p "$prefix" -e stderr -c nginx.conf -g "$directives"
