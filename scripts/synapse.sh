#!/bin/sh
# A real Synapse, Debian sid's package in a root of its own, to measure and to federate with. Needs root
# and debootstrap; the first set-up takes about a minute.
#   synapse.sh setup DIR PORT NAME [FEDERATION_PORT]   again: another configuration, the same database
#   synapse.sh start DIR     prints "up", then the line "BASE-URL PID"
#   synapse.sh stop DIR      synapse.sh status DIR      synapse.sh reset DIR: an empty database
#   synapse.sh remove DIR    the instance; its root when it is in DIR
#   synapse.sh certificate DIR NAME    another server's DIR/ca/NAME.{crt,key}, by the same authority
#   synapse.sh can           says in a sentence what is missing; status 1
# PORT is for clients, over HTTP; FEDERATION_PORT (PORT + 440) is for servers, over TLS, with a
# certificate of the authority in DIR/ca, the only one that it trusts. NAME is the server's, for
# federation on this machine localhost:FEDERATION_PORT. Loopback only, no rate limits.
#   SYNAPSE_ROOT    the root (DIR/root); instances may share one
#   SYNAPSE_MIRROR  a Debian archive (that of this machine's apt)
#   SYNAPSE_BCRYPT_ROUNDS (12)   SYNAPSE_EXTRA: a file of more configuration
set -eu

die() {
    echo "synapse: $*" >&2
    exit 1
}

usage() {
    sed -n '2,15p' "$0" | sed 's/^# \{0,1\}//' >&2
    exit 2
}

can() {
    [ "$(id -u)" -eq 0 ] || {
        echo "no Synapse here: it takes root to make a system for it"
        return 1
    }
    command -v debootstrap >/dev/null || command -v apt-get >/dev/null || {
        echo "no Synapse here: debootstrap is missing, and there is no apt-get to install it"
        return 1
    }
    [ -n "$(mirror)" ] || {
        echo "no Synapse here: apt names no Debian archive; SYNAPSE_MIRROR can"
        return 1
    }
}

# The first plain Debian archive that apt uses, in either of its two forms.
mirror() {
    if [ -n "${SYNAPSE_MIRROR:-}" ]; then
        echo "$SYNAPSE_MIRROR"
        return
    fi
    {
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\).*/\2/p'
        cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
            sed -n 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p'
    } | grep '/debian/*$' | head -n 1
}

inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

mounted() { grep -q " $root/proc " /proc/mounts; }

make_root() {
    [ ! -e "$root/.made" ] || return 0
    command -v debootstrap >/dev/null || {
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y debootstrap >/dev/null
    }
    echo "synapse: makes a small Debian in $root"
    ! mounted || umount "$root/proc"
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase --include=ca-certificates,openssl sid "$root" "$(mirror)" \
        >"$dir/debootstrap.log" 2>&1 || die "debootstrap failed: $dir/debootstrap.log"
    touch "$root/.made"
}

# Its apt asks as this machine's does: mirror, proxy, authorities.
install_package() {
    mkdir -p "$root/etc/apt/apt.conf.d" "$root/usr/local/share/ca-certificates"
    apt-config dump | grep -iE '^Acquire::(https?|Check|Retries|::)' \
        >"$root/etc/apt/apt.conf.d/50host" || true
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" \
        2>/dev/null || true
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    rm -f "$root"/etc/apt/sources.list.d/*
    echo "deb $(mirror) sid main" >"$root/etc/apt/sources.list"
    mounted || mount -t proc proc "$root/proc"
    if inside dpkg -s matrix-synapse >/dev/null 2>&1; then
        return
    fi
    echo "synapse: installs the package matrix-synapse in it"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # start no services
    chmod +x "$root/usr/sbin/policy-rc.d"
    {
        inside update-ca-certificates
        inside apt-get -qq update
        echo "matrix-synapse matrix-synapse/server-name string $name
matrix-synapse matrix-synapse/report-stats boolean false" | inside debconf-set-selections
        inside apt-get -qq install -y --no-install-recommends matrix-synapse
        inside apt-get clean
    } >"$dir/install.log" 2>&1 || die "the package does not install: $dir/install.log"
}

# The authority of this test network, made once.
authority() {
    [ ! -e "$dir/ca/ca.crt" ] || return 0
    mkdir -p "$dir/ca"
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Neurite's test network" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
        -keyout "$dir/ca/ca.key" -out "$dir/ca/ca.crt" 2>/dev/null
}

# certify NAME HOST: ca/NAME.crt and ca/NAME.key, for HOST and this machine.
certify() {
    openssl req -new -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$dir/ca/$1.key" \
        -out "$dir/ca/$1.csr" 2>/dev/null
    printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\n' "$2" >"$dir/ca/$1.ext"
    openssl x509 -req -in "$dir/ca/$1.csr" -CA "$dir/ca/ca.crt" -CAkey "$dir/ca/ca.key" \
        -CAcreateserial -days 3650 -extfile "$dir/ca/$1.ext" -out "$dir/ca/$1.crt" 2>/dev/null
    rm "$dir/ca/$1.csr" "$dir/ca/$1.ext"
}

secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

configure() {
    instance=$root$place
    mkdir -p "$instance/media"
    authority
    [ -e "$dir/ca/synapse.crt" ] || certify synapse "${name%:*}"
    cp "$dir/ca/ca.crt" "$dir/ca/synapse.crt" "$dir/ca/synapse.key" "$instance/"
    [ -e "$instance/secrets.yaml" ] || cat >"$instance/secrets.yaml" <<Y
registration_shared_secret: "$(secret)"
macaroon_secret_key: "$(secret)"
form_secret: "$(secret)"
Y
    free='{per_second: 1000000, burst_count: 1000000}'
    {
        for kind in rc_message rc_registration rc_registration_token_validity rc_admin_redaction \
            rc_third_party_invite rc_media_create rc_reports rc_room_creation rc_key_requests \
            rc_joins_per_room rc_3pid_validation rc_delayed_event_mgmt; do
            echo "$kind: $free"
        done
        echo "rc_login: {address: $free, account: $free, failed_attempts: $free}"
        echo "rc_joins: {local: $free, remote: $free}"
        echo "rc_invites: {per_room: $free, per_user: $free, per_issuer: $free}"
        echo "rc_presence: {per_user: $free}"
        echo "rc_federation: {window_size: 1000, sleep_limit: 100000, sleep_delay: 1, reject_limit: 100000, concurrent: 100}"
    } >"$instance/limits.yaml"
    cat >"$instance/homeserver.yaml" <<Y
server_name: "$name"
public_baseurl: "http://127.0.0.1:$port/"
report_stats: false
suppress_key_server_warning: true
listeners:
  - {port: $port, type: http, tls: false, bind_addresses: ['127.0.0.1'], resources: [{names: [client, federation], compress: false}]}
  - {port: $federation, type: http, tls: true, bind_addresses: ['127.0.0.1'], resources: [{names: [client, federation], compress: false}]}
tls_certificate_path: $place/synapse.crt
tls_private_key_path: $place/synapse.key
database: {name: sqlite3, args: {database: $place/homeserver.db}}
media_store_path: $place/media
signing_key_path: $place/signing.key
log_config: $place/log.yaml
enable_registration: true
enable_registration_without_verification: true
bcrypt_rounds: ${SYNAPSE_BCRYPT_ROUNDS:-12}
trusted_key_servers: []
federation_verify_certificates: true
federation_custom_ca_list: [$place/ca.crt]
ip_range_blacklist: []
ip_range_whitelist: ['127.0.0.0/8', '::1/128']
allow_public_rooms_over_federation: true
allow_public_rooms_without_auth: true
Y
    cat >"$instance/log.yaml" <<Y
version: 1
formatters: {plain: {format: '%(asctime)s %(name)s %(lineno)d %(levelname)s %(request)s %(message)s'}}
handlers: {file: {class: logging.FileHandler, formatter: plain, filename: $place/homeserver.log}}
root: {level: WARNING, handlers: [file]}
disable_existing_loggers: false
Y
    files="-c $place/homeserver.yaml -c $place/limits.yaml -c $place/secrets.yaml"
    if [ -n "${SYNAPSE_EXTRA:-}" ]; then
        cp "$SYNAPSE_EXTRA" "$instance/extra.yaml"
        files="$files -c $place/extra.yaml"
    fi
    # shellcheck disable=SC2086 # a list of arguments
    [ -e "$instance/signing.key" ] ||
        inside python3 -m synapse.app.homeserver $files --generate-keys >"$dir/keys.log" 2>&1 ||
        die "it makes no key: $dir/keys.log"
    cat >"$dir/settings" <<S
root='$root'
place='$place'
port='$port'
federation='$federation'
files='$files'
S
}

setup() {
    [ $# -ge 3 ] || usage
    mkdir -p "$1"
    dir=$(cd "$1" && pwd)
    port=$2
    name=$3
    federation=${4:-$((port + 440))}
    root=${SYNAPSE_ROOT:-$dir/root}
    place=/srv/synapse-$port
    why=$(can) || die "$why"
    make_root
    install_package
    configure
    # shellcheck disable=SC2016 # dpkg's own words
    version=$(inside dpkg-query -W -f '${Version}' matrix-synapse)
    echo "synapse: $version is set up as $name in $dir"
}

# Reads what setup left: settings DIR.
settings() {
    dir=$(cd "${1:?which folder?}" && pwd)
    [ -e "$dir/settings" ] || die "nothing is set up in $dir"
    # shellcheck source=/dev/null # what setup wrote
    . "$dir/settings"
}

pid() { cat "$dir/pid" 2>/dev/null; }
runs() { [ -n "$(pid)" ] && kill -0 "$(pid)" 2>/dev/null; }
answers() { curl --silent --fail "http://127.0.0.1:$port/_matrix/federation/v1/version"; }

start() {
    if ! runs; then
        mounted || mount -t proc proc "$root/proc"
        mkdir -p "$root$place/media"
        inside chown -R matrix-synapse "$place"
        # shellcheck disable=SC2086 # a list of arguments
        setsid chroot --userspec=matrix-synapse "$root" /usr/bin/env -i PATH=/usr/bin:/bin \
            LC_ALL=C.UTF-8 HOME="$place" /bin/sh -c "cd $place && exec python3 -m synapse.app.homeserver $files" \
            >>"$dir/output.log" 2>&1 </dev/null &
        echo $! >"$dir/pid"
    fi
    n=0
    until answers >/dev/null; do
        runs || die "it ended: $(tail -n 20 "$dir/output.log" "$root$place/homeserver.log" 2>&1)"
        n=$((n + 1))
        [ "$n" -lt 600 ] || die "no answer within a minute"
        sleep 0.1
    done
    echo "up"
    echo "http://127.0.0.1:$port $(pid)"
}

# Leaves no mount behind: start makes it again.
stop() {
    if runs; then
        kill "$(pid)"
        n=0
        while runs && [ "$n" -lt 100 ]; do
            n=$((n + 1))
            sleep 0.1
        done
        ! runs || kill -9 "$(pid)"
        rm -f "$dir/pid"
    fi
    ! mounted || umount "$root/proc" 2>/dev/null || true # another instance may use it
}

remove() {
    stop
    case $root in
    "$dir"/*)
        ! mounted || umount "$root/proc"
        rm -rf --one-file-system "$root"
        ;;
    *) rm -rf "${root:?}${place:?}" ;;
    esac
    rm -rf "$dir/settings" "$dir/ca"
}

[ $# -gt 0 ] || usage
command=$1
shift
case $command in
can) can ;;
setup) setup "$@" ;;
start | stop | remove)
    settings "$@"
    "$command"
    ;;
status)
    settings "$@"
    answers || die "it does not answer at port $port"
    echo
    ;;
reset)
    settings "$@"
    stop
    rm -rf "${root:?}${place:?}"/homeserver.db* "${root:?}${place:?}/homeserver.log" \
        "${root:?}${place:?}/media"
    ;;
certificate)
    settings "$@"
    certify "${2:?for which server?}" "${2%:*}"
    ;;
*) usage ;;
esac
