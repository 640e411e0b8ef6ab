/* A small multiaddr reader: names, the form of their values, nothing binary. */
#include "relay/address.h"

#include "base/encode.h"

#include <string.h>

enum value {
    VALUE_NONE,
    VALUE_TEXT, /* anything but empty */
    VALUE_IP4,
    VALUE_IP6,
    VALUE_PORT,
    VALUE_PEER,
    VALUE_REST, /* a path: the rest of the text */
};

struct protocol {
    struct str name;
    enum value value;
};

/* clang-format off */
static const struct protocol protocols[] = {
    { STR_INIT("ip4"), VALUE_IP4 },      { STR_INIT("ip6"), VALUE_IP6 },
    { STR_INIT("tcp"), VALUE_PORT },     { STR_INIT("udp"), VALUE_PORT },
    { STR_INIT("dccp"), VALUE_PORT },    { STR_INIT("sctp"), VALUE_PORT },
    { STR_INIT("dns"), VALUE_TEXT },     { STR_INIT("dns4"), VALUE_TEXT },
    { STR_INIT("dns6"), VALUE_TEXT },    { STR_INIT("dnsaddr"), VALUE_TEXT },
    { STR_INIT("ipfs"), VALUE_PEER },    { STR_INIT("p2p"), VALUE_PEER },
    { STR_INIT("ws"), VALUE_NONE },      { STR_INIT("wss"), VALUE_NONE },
    { STR_INIT("http"), VALUE_NONE },    { STR_INIT("https"), VALUE_NONE },
    { STR_INIT("quic"), VALUE_NONE },    { STR_INIT("utp"), VALUE_NONE },
    { STR_INIT("udt"), VALUE_NONE },     { STR_INIT("p2p-circuit"), VALUE_NONE },
    { STR_INIT("p2p-websocket-star"), VALUE_NONE },
    { STR_INIT("p2p-webrtc-star"), VALUE_NONE },
    { STR_INIT("p2p-webrtc-direct"), VALUE_NONE },
    { STR_INIT("p2p-stardust"), VALUE_NONE },
    { STR_INIT("onion"), VALUE_TEXT },   { STR_INIT("onion3"), VALUE_TEXT },
    { STR_INIT("garlic64"), VALUE_TEXT }, { STR_INIT("garlic32"), VALUE_TEXT },
    { STR_INIT("unix"), VALUE_REST },    { STR_INIT("memory"), VALUE_TEXT },
};
/* clang-format on */

/* Peer ids are multihashes: 34 bytes (sha2-256), or a small key itself with two bytes before it. */
enum { PEER_ID_TEXT_MAX = 64 };

static bool is_number(struct str s, int64_t most)
{
    int64_t n;
    return s.n > 0 && s.n <= 5 && s.p[0] != '-' && str_to_i64(s, &n) && n <= most;
}

static bool is_ip4(struct str s)
{
    struct str part;
    for (int i = 0; i < 3; i++) {
        if (!str_cut(s, '.', &part, &s) || part.n > 3 || !is_number(part, 255)) {
            return false;
        }
    }
    return s.n <= 3 && is_number(s, 255);
}

static size_t hex_digits(struct str s)
{
    size_t n = 0;
    while (n < s.n && memchr("0123456789abcdefABCDEF", s.p[n], 22) != NULL) {
        n++;
    }
    return n;
}

/* How many groups of 16 bits a run of "a:b:c" has, 0 for none and for an empty run, -1 when it is
 * none. An IPv4 address may stand for the last two. */
static int ip6_groups(struct str s, bool may_end_in_ip4)
{
    struct str group = s;
    int groups = 0;
    if (s.n == 0) {
        return 0;
    }
    while (str_cut(s, ':', &group, &s)) {
        if (group.n == 0 || group.n > 4 || hex_digits(group) != group.n) {
            return -1;
        }
        groups++;
    }
    if (may_end_in_ip4 && is_ip4(s)) {
        return groups + 2;
    }
    return s.n == 0 || s.n > 4 || hex_digits(s) != s.n ? -1 : groups + 1;
}

/* RFC 4291, 2.2: eight groups, or fewer around one "::". */
static bool is_ip6(struct str s)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (s.p[i] == ':' && s.p[i + 1] == ':') {
            int before = ip6_groups(str_sub(s, 0, i), false);
            int after = ip6_groups(str_from(s, i + 2), true);
            return before >= 0 && after >= 0 && before + after < 8;
        }
    }
    return ip6_groups(s, true) == 8;
}

/* A base58btc multihash whose length byte is true. */
static bool is_peer_id(struct arena *a, struct str text)
{
    struct str hash;
    if (text.n > PEER_ID_TEXT_MAX || base58_parse(a, text, &hash) != ERR_NONE || hash.n <= 2) {
        return false;
    }
    return (unsigned char)hash.p[0] < 128 && (unsigned char)hash.p[1] == hash.n - 2;
}

static bool value_fits(struct arena *a, enum value kind, struct str value)
{
    switch (kind) {
    case VALUE_IP4:
        return is_ip4(value);
    case VALUE_IP6:
        return is_ip6(value);
    case VALUE_PORT:
        return is_number(value, 65535);
    case VALUE_PEER:
        return is_peer_id(a, value);
    case VALUE_TEXT:
    case VALUE_REST:
        return value.n > 0;
    case VALUE_NONE:
        return true;
    }
    return false;
}

/* The next segment that is not empty: doubled and trailing slashes count for nothing. */
static bool segment(struct str *rest, struct str *out)
{
    while (rest->n > 0 && rest->p[0] == '/') {
        *rest = str_from(*rest, 1);
    }
    size_t n = 0;
    while (n < rest->n && rest->p[n] != '/') {
        n++;
    }
    *out = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return n > 0;
}

struct reader {
    struct arena *a;
    struct str rest;
    bool is_bad; /* what was read last is no component */
};

/* Reads one protocol with its value. NULL at the end and on an error. */
static const struct protocol *component(struct reader *r)
{
    struct str name, value = STR("");
    r->is_bad = false;
    if (!segment(&r->rest, &name)) {
        return NULL;
    }
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        const struct protocol *p = &protocols[i];
        if (!str_eq(p->name, name)) {
            continue;
        }
        if (p->value == VALUE_REST) {
            value = r->rest;
            r->rest = STR("");
        } else if (p->value != VALUE_NONE) {
            (void)segment(&r->rest, &value);
        }
        r->is_bad = !value_fits(r->a, p->value, value);
        return r->is_bad ? NULL : p;
    }
    r->is_bad = true;
    return NULL;
}

bool address_is_multiaddr(struct arena *a, struct str text)
{
    struct reader r = {.a = a, .rest = text};
    if (text.n == 0) {
        return true;
    }
    if (text.p[0] != '/') {
        return false;
    }
    while (component(&r) != NULL) {
    }
    return !r.is_bad;
}

/* Where in an address the reader of strict ones is. */
enum strict {
    STRICT_HOST,
    STRICT_TCP,
    STRICT_NAMED,
    STRICT_WS,
    STRICT_STAR,
    STRICT_PEER,
    STRICT_END
};

static bool named(const struct protocol *p, const char *name)
{
    return str_eq(p->name, str_of(name));
}

/* The state after one more component, or STRICT_HOST for "does not belong here". */
static enum strict strict_step(enum strict at, const struct protocol *p)
{
    switch (at) {
    case STRICT_HOST:
        if (p->value == VALUE_IP4 || p->value == VALUE_IP6) {
            return STRICT_TCP;
        }
        return str_starts(p->name, STR("dns")) ? STRICT_NAMED : STRICT_HOST;
    case STRICT_TCP:
        return named(p, "tcp") ? STRICT_WS : STRICT_HOST;
    case STRICT_NAMED:
        if (named(p, "tcp")) {
            return STRICT_WS;
        }
        return named(p, "ws") || named(p, "wss") ? STRICT_STAR : STRICT_HOST;
    case STRICT_WS:
        return named(p, "ws") || named(p, "wss") ? STRICT_STAR : STRICT_HOST;
    case STRICT_STAR:
        return named(p, "p2p-websocket-star") ? STRICT_PEER : STRICT_HOST;
    case STRICT_PEER:
        return p->value == VALUE_PEER ? STRICT_END : STRICT_HOST;
    case STRICT_END:
        return STRICT_HOST;
    }
    return STRICT_HOST;
}

bool address_is_strict(struct arena *a, struct str text)
{
    struct reader r = {.a = a, .rest = text};
    const struct protocol *p;
    enum strict at = STRICT_HOST;
    if (text.n == 0 || text.p[0] != '/') {
        return false;
    }
    while ((p = component(&r)) != NULL) {
        at = strict_step(at, p);
        if (at == STRICT_HOST) {
            return false;
        }
    }
    return !r.is_bad && (at == STRICT_PEER || at == STRICT_END);
}

struct str address_canonical(struct arena *a, struct str text)
{
    const struct str old = STR("/p2p/"), now = STR("/ipfs/");
    for (size_t i = text.n; i >= old.n; i--) {
        size_t at = i - old.n;
        if (str_starts(str_from(text, at), now)) {
            return text;
        }
        if (str_starts(str_from(text, at), old)) {
            return arena_join(a, str_sub(text, 0, at), now, str_from(text, at + old.n));
        }
    }
    return text;
}

struct str address_peer_id(struct arena *a, struct str canonical)
{
    const struct str mark = STR("ipfs/");
    for (size_t i = canonical.n; i >= mark.n; i--) {
        if (str_starts(str_from(canonical, i - mark.n), mark)) {
            struct str id = str_from(canonical, i);
            return is_peer_id(a, id) ? id : STR_ABSENT;
        }
    }
    return STR_ABSENT;
}
