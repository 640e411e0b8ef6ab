/* Peer ids and multiaddr texts. Parsing is exact: a name that has two spellings would be two
 * peers in one place and one in another. */
#include "net/addr.h"

#include "base/encode.h"

#include <string.h>

static const uint8_t KEY_PREFIX[] = {0x08, 0x01, 0x12, SIGN_PUBLIC_SIZE};

enum { MULTIHASH_SIZE = 2 + ADDR_KEY_SIZE };

void addr_key_write(uint8_t out[ADDR_KEY_SIZE], const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    memcpy(out, KEY_PREFIX, sizeof(KEY_PREFIX));
    memcpy(out + sizeof(KEY_PREFIX), public_key, SIGN_PUBLIC_SIZE);
}

enum err addr_key_parse(struct str protobuf, uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    if (protobuf.n != ADDR_KEY_SIZE || memcmp(protobuf.p, KEY_PREFIX, sizeof(KEY_PREFIX)) != 0) {
        return ERR_SYNTAX;
    }
    memcpy(public_key, protobuf.p + sizeof(KEY_PREFIX), SIGN_PUBLIC_SIZE);
    return ERR_NONE;
}

struct str addr_id_write(struct arena *a, const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    uint8_t hash[MULTIHASH_SIZE] = {0, ADDR_KEY_SIZE};
    struct str text;
    addr_key_write(hash + 2, public_key);
    enum err err = base58_write(a, str_make(hash, sizeof(hash)), &text);
    assert(err == ERR_NONE && text.n == ADDR_ID_SIZE);
    return text;
}

enum err addr_id_parse(struct str id, uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    if (id.n != ADDR_ID_SIZE) {
        return ERR_SYNTAX;
    }
    struct arena *a = arena_new();
    struct str hash;
    enum err err = base58_parse(a, id, &hash);
    if (err == ERR_NONE) {
        bool fits = hash.n == MULTIHASH_SIZE && hash.p[0] == 0 && hash.p[1] == ADDR_KEY_SIZE;
        err = fits ? addr_key_parse(str_from(hash, 2), public_key) : ERR_SYNTAX;
    }
    if (err == ERR_NONE && !str_eq(addr_id_write(a, public_key), id)) {
        err = ERR_SYNTAX;
    }
    arena_free(a);
    return err;
}

/* Where the id of the address begins, and where its "/ipfs/" or "/p2p/" does. */
static bool find_id(struct str address, size_t *name_at, size_t *id_at)
{
    static const struct str names[] = {STR_INIT("/ipfs/"), STR_INIT("/p2p/")};
    for (size_t at = address.n; at > 0; at--) {
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            if (str_starts(str_from(address, at - 1), names[i])) {
                *name_at = at - 1;
                *id_at = at - 1 + names[i].n;
                return true;
            }
        }
    }
    return false;
}

struct str addr_peer(struct str address)
{
    size_t name_at, id_at;
    return find_id(address, &name_at, &id_at) ? str_from(address, id_at) : STR_ABSENT;
}

enum err addr_canonical(struct arena *a, struct str address, struct str *out)
{
    uint8_t key[SIGN_PUBLIC_SIZE];
    size_t name_at, id_at;
    if (address.n > ADDRESS_MAX || address.n == 0 || address.p[0] != '/') {
        return ERR_SYNTAX;
    }
    for (size_t i = 0; i < address.n; i++) {
        char c = address.p[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\') {
            return ERR_SYNTAX;
        }
    }
    if (!find_id(address, &name_at, &id_at)) {
        return ERR_SYNTAX;
    }
    TRY(addr_id_parse(str_from(address, id_at), key));
    *out = arena_join(a, str_sub(address, 0, name_at), STR("/ipfs/"), str_from(address, id_at));
    return ERR_NONE;
}

struct url {
    bool is_secure, has_brackets;
    struct str host, port;
};

static bool is_host_char(char c, bool has_brackets)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           (has_brackets ? c == ':' : c == '-' || c == '_');
}

static bool is_host(struct str host, bool has_brackets)
{
    for (size_t i = 0; i < host.n; i++) {
        if (!is_host_char(host.p[i], has_brackets)) {
            return false;
        }
    }
    return host.n > 0 && host.n <= 255;
}

static bool is_port(struct str port)
{
    int64_t value = 0;
    return port.n <= 5 && str_to_i64(port, &value) && value > 0 && value <= 65535;
}

static enum err url_parse(struct str text, struct url *out)
{
    struct str rest, tail;
    *out = (struct url){.is_secure = str_starts(text, STR("wss://"))};
    if (!out->is_secure && !str_starts(text, STR("ws://"))) {
        return ERR_SYNTAX;
    }
    rest = str_from(text, out->is_secure ? 6 : 5);
    (void)str_cut(rest, '/', &rest, &tail);
    out->has_brackets = str_starts(rest, STR("["));
    if (out->has_brackets) {
        if (!str_cut(str_from(rest, 1), ']', &out->host, &rest)) {
            return ERR_SYNTAX;
        }
        out->port = str_starts(rest, STR(":")) ? str_from(rest, 1) : rest;
    } else if (!str_cut(rest, ':', &out->host, &out->port)) {
        out->host = rest;
        out->port = STR("");
    }
    if (out->port.n == 0) {
        out->port = out->is_secure ? STR("443") : STR("80");
    }
    return is_host(out->host, out->has_brackets) && is_port(out->port) ? ERR_NONE : ERR_SYNTAX;
}

/* Four decimal numbers; then it is /ip4/ and not a name. */
static bool is_ip4(struct str host)
{
    struct str part, rest = host;
    int64_t value = 0;
    int parts = 0;
    bool more = true;
    while (more && parts < 5) {
        more = str_cut(rest, '.', &part, &rest);
        if (!more) {
            part = rest;
        }
        if (part.n > 3 || !str_to_i64(part, &value) || value < 0 || value > 255) {
            return false;
        }
        parts++;
    }
    return parts == 4;
}

enum err addr_from_url(struct arena *a, struct str url, struct str peer_id, struct str *out)
{
    struct url u;
    TRY(url_parse(url, &u));
    const char *kind = u.has_brackets ? "ip6" : (is_ip4(u.host) ? "ip4" : "dns4");
    *out = arena_fmt(a, "/%s/%.*s/tcp/%.*s/%s/p2p-websocket-star/ipfs/%.*s", kind, STR_ARG(u.host),
                     STR_ARG(u.port), u.is_secure ? "wss" : "ws", STR_ARG(peer_id));
    return out->n <= ADDRESS_MAX ? ERR_NONE : ERR_LIMIT;
}

/* Cuts the next "/part" off. */
static struct str next_part(struct str *rest)
{
    struct str part;
    if (!str_starts(*rest, STR("/"))) {
        return STR_ABSENT;
    }
    *rest = str_from(*rest, 1);
    size_t at;
    part = str_find(*rest, '/', &at) ? str_sub(*rest, 0, at) : *rest;
    *rest = str_from(*rest, part.n);
    return part;
}

enum err addr_to_url(struct arena *a, struct str address, struct str *url)
{
    struct str rest = address;
    struct str kind = next_part(&rest);
    struct str host = next_part(&rest);
    struct str tcp = next_part(&rest);
    struct str port = next_part(&rest);
    struct str scheme = next_part(&rest);
    bool has_brackets = str_eq(kind, STR("ip6"));
    bool is_secure = str_eq(scheme, STR("wss"));
    bool is_kind = has_brackets || str_eq(kind, STR("ip4")) || str_eq(kind, STR("dns4")) ||
                   str_eq(kind, STR("dns6")) || str_eq(kind, STR("dns")) ||
                   str_eq(kind, STR("dnsaddr"));
    if (!is_kind || !is_host(host, has_brackets) || !str_eq(tcp, STR("tcp")) || !is_port(port) ||
        !(is_secure || str_eq(scheme, STR("ws"))) ||
        !str_eq(next_part(&rest), STR("p2p-websocket-star"))) {
        return ERR_SYNTAX;
    }
    *url = arena_fmt(a, "%s://%s%.*s%s:%.*s", is_secure ? "wss" : "ws", has_brackets ? "[" : "",
                     STR_ARG(host), has_brackets ? "]" : "", STR_ARG(port));
    return ERR_NONE;
}

enum err addr_socket_url(struct arena *a, struct str url, struct str *out)
{
    struct url u;
    TRY(url_parse(url, &u));
    *out = arena_fmt(a, "%s://%s%.*s%s:%.*s/socket.io/?EIO=3&transport=websocket",
                     u.is_secure ? "wss" : "ws", u.has_brackets ? "[" : "", STR_ARG(u.host),
                     u.has_brackets ? "]" : "", STR_ARG(u.port));
    return ERR_NONE;
}
