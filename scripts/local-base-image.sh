#!/bin/sh
# Makes the image that the Dockerfile starts from out of Debian's packages, for machines that cannot
# reach a registry of images: local-base-image.sh [SUITE] makes debian:SUITE-slim (trixie). Needs root,
# debootstrap and a running Docker daemon; does nothing when the image is there (FORCE=1: makes it
# again). What this machine has set up for apt, npm and certificates goes into the image, so that a
# build in it reaches what this machine reaches; the repository knows nothing of that.
set -eu

suite=${1:-trixie}
image=debian:$suite-slim
say() { echo "local-base-image: $*"; }

if [ -z "${FORCE:-}" ] && docker image inspect "$image" >/dev/null 2>&1; then
    say "$image is there"
    exit 0
fi

# shellcheck disable=SC1091 # the system's own description
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
root=$work/root

# This machine's sources of packages, for another suite; official ones where it has none.
sources=$work/debian.sources
cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -n "/^#/d; s/\\b$here\\b/$suite/g; p" >"$sources" || true
lists=$work/debian.list
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n "s/\\b$here\\b/$suite/g; /^ *deb /p" >"$lists" || true
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^ *deb *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\).*/\2/p' \
    "$sources" "$lists" | grep -v security | head -n 1)

say "$image by debootstrap, about a minute"
debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" \
    "${mirror:-http://deb.debian.org/debian}" >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    exit 1
}

rm -f "$root/etc/apt/sources.list"
[ ! -s "$sources" ] || cp "$sources" "$root/etc/apt/sources.list.d/debian.sources"
[ ! -s "$lists" ] || cp "$lists" "$root/etc/apt/sources.list.d/debian.list"
if [ ! -s "$sources" ] && [ ! -s "$lists" ]; then
    say "this machine has no sources of packages" >&2
    exit 1
fi
# The official image has the security suite, and the browsers of the harness come from there.
cat "$root"/etc/apt/sources.list.d/* | grep -q -e "-security" || {
    say "this machine's sources have no security suite, and the browsers come from there" >&2
    exit 1
}
grep -lsE '^Acquire' /etc/apt/apt.conf.d/* | while read -r file; do
    cp "$file" "$root/etc/apt/apt.conf.d/"
done
# As the official image has it: nothing that a package needs only on a real machine.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"

if ls /usr/local/share/ca-certificates/*.crt >/dev/null 2>&1; then
    mkdir -p "$root/usr/local/share/ca-certificates"
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
fi
chroot "$root" update-ca-certificates >/dev/null 2>&1
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/log/*.log

registry=
if command -v npm >/dev/null; then
    registry=$(npm config get registry 2>/dev/null)
fi
tar -C "$root" -c . | docker import \
    --change 'CMD ["bash"]' \
    --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
    ${registry:+--change "ENV NPM_CONFIG_REGISTRY=$registry"} \
    - "$image" >/dev/null
say "$image is ready"
