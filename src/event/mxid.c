/* Grammar of identifiers, as far as one byte decides it. */
#include "event/mxid.h"

#include <string.h>

#include "base/encode.h"

/* base58btc of 38 bytes that begin so: identity multihash, 36 bytes, protobuf of type ed25519. */
static const char PEER_PREFIX[] = "12D3KooW";
static const unsigned char PEER_HEAD[] = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20};
enum { PEER_LENGTH = 52, ROOM_HASH_LENGTH = 43 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* Not empty, and each byte alphanumeric or one of `more`. */
static bool is_made_of(struct str text, const char *more)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_alnum(text.p[i]) && (text.p[i] == 0 || strchr(more, text.p[i]) == NULL)) {
            return false;
        }
    }
    return text.n > 0;
}

/* No NUL, neither as a byte nor as the C0 80 that JSON trees carry. */
static bool has_no_nul(struct str text)
{
    size_t at;
    return !str_find(text, 0, &at) && !str_find(text, '\xC0', &at);
}

struct str mxid_server(struct str id)
{
    struct str local, server;
    return str_cut(id, ':', &local, &server) ? server : STR_ABSENT;
}

struct str mxid_local(struct str id)
{
    struct str local, server;
    return str_cut(str_from(id, 1), ':', &local, &server) ? local : str_from(id, 1);
}

static bool is_port(struct str port)
{
    size_t digits = 0;
    while (digits < port.n && is_digit(port.p[digits])) {
        digits++;
    }
    return digits > 0 && digits <= 5 && digits == port.n;
}

bool mxid_is_server(struct str name)
{
    struct str host, rest;
    size_t end;
    if (name.n == 0 || name.n > MXID_MAX) {
        return false;
    }
    if (name.p[0] == '[') {
        if (!str_find(name, ']', &end)) {
            return false;
        }
        host = str_sub(name, 1, end - 1);
        rest = str_from(name, end + 1);
        return is_made_of(host, ":.") &&
               (rest.n == 0 || (rest.p[0] == ':' && is_port(str_from(rest, 1))));
    }
    if (str_cut(name, ':', &host, &rest)) {
        return is_made_of(host, "-.") && is_port(rest);
    }
    return is_made_of(name, "-.");
}

/* sigil, a local part, a server, at most 255 bytes. */
static bool is_local_id(struct str id, char sigil)
{
    return id.n > 0 && id.n <= MXID_MAX && id.p[0] == sigil && has_no_nul(id) &&
           mxid_is_server(mxid_server(id));
}

bool mxid_is_user(struct str id)
{
    return is_local_id(id, '@');
}

bool mxid_is_new_local(struct str local, struct str server)
{
    for (size_t i = 0; i < local.n; i++) {
        char c = local.p[i];
        if (!is_lower(c) && !is_digit(c) && (c == 0 || strchr("._=-/+", c) == NULL)) {
            return false;
        }
    }
    return local.n > 0 && local.n + server.n + 2 <= MXID_MAX;
}

bool mxid_is_room(struct str id)
{
    return is_local_id(id, '!') ||
           (id.n == 1 + ROOM_HASH_LENGTH && id.p[0] == '!' && is_made_of(str_from(id, 1), "-_"));
}

bool mxid_is_alias(struct str id)
{
    return is_local_id(id, '#');
}

bool mxid_is_event(struct str id)
{
    return id.n > 1 && id.n <= MXID_MAX && id.p[0] == '$' && has_no_nul(id);
}

bool mxid_is_key_id(struct str id)
{
    return id.n <= MXID_MAX && str_starts(id, STR("ed25519:")) &&
           is_made_of(str_from(id, sizeof("ed25519:") - 1), "_");
}

bool mxid_is_peer(struct str name, uint8_t key[MXID_PEER_KEY_SIZE])
{
    struct str bytes;
    if (name.n != PEER_LENGTH || !str_starts(name, STR(PEER_PREFIX))) {
        return false;
    }
    struct arena *a = arena_new();
    bool peer = base58_parse(a, name, &bytes) == ERR_NONE &&
                bytes.n == sizeof(PEER_HEAD) + MXID_PEER_KEY_SIZE &&
                memcmp(bytes.p, PEER_HEAD, sizeof(PEER_HEAD)) == 0;
    if (peer && key != NULL) {
        memcpy(key, bytes.p + sizeof(PEER_HEAD), MXID_PEER_KEY_SIZE);
    }
    arena_free(a);
    return peer;
}

struct str mxid_peer_key_id(void)
{
    return STR("ed25519:p2p");
}

bool mxid_key_id_fits(struct str server, struct str key_id)
{
    return mxid_is_key_id(key_id) &&
           (!mxid_is_peer(server, NULL) || str_eq(key_id, mxid_peer_key_id()));
}
