/* Hashes are of canonical JSON, signatures of canonical JSON of the redacted event. */
#include "event/seal.h"

#include <string.h>

#include "base/encode.h"
#include "base/limits.h"
#include "event/mxid.h"
#include "event/redact.h"
#include "json/canon.h"

/* A JSON body that somebody signs: a key document or a request at most as large as a body. */
enum { SIGNED_MAX = SERVER_BODY_MAX + EVENT_SIZE_MAX };

/* Each costs a verification, and anyone can write thousands into an event. */
enum { THIRD_PARTY_SIGNATURES_MAX = 16 };

static const struct str unsigned_parts[] = {STR_INIT("signatures"), STR_INIT("unsigned")};
static const struct str unhashed_parts[] = {STR_INIT("signatures"), STR_INIT("unsigned"),
                                            STR_INIT("hashes")};

#define LEAVING_OUT(array) ((struct strs){(array), COUNT_OF(array)})

static enum err write_canonical(struct buf *out, bool strict, const struct json *node,
                                struct strs without)
{
    return strict ? canon_write(out, node, without) : canon_write_lenient(out, node, without);
}

/* --- signatures of objects ---------------------------------------------------------------- */

/* Puts the signature of those bytes. */
static void sign_into(struct arena *a, struct json *to, struct str bytes,
                      const struct event_signer *signer)
{
    uint8_t signature[SIGN_SIZE];
    sign_make(signature, signer->key, bytes);
    struct json *signatures = json_get_object(to, "signatures");
    if (signatures == NULL) {
        signatures = json_put_object(to, STR("signatures"));
    }
    struct json *of_server = json_get(signatures, signer->server);
    if (!json_is(of_server, JSON_OBJECT)) {
        of_server = json_put_object(signatures, signer->server);
    }
    struct str base64 = base64_write(a, str_make(signature, sizeof(signature)));
    json_put_text(of_server, arena_str(a, signer->key_id).p, base64);
}

static enum err sign_object(struct arena *a, struct json *object, bool strict,
                            const struct event_signer *signer)
{
    struct buf text;
    buf_init(&text, SIGNED_MAX);
    enum err err = write_canonical(&text, strict, object, LEAVING_OUT(unsigned_parts));
    if (err == ERR_NONE) {
        sign_into(a, object, buf_str(&text), signer);
    }
    buf_release(&text);
    return err;
}

/* In base64; absent: there is none. */
static struct str signature_of(const struct json *object, struct str server, struct str key_id)
{
    const struct json *signatures = json_get(object, STR("signatures"));
    return json_text(json_get(json_get(signatures, server), key_id));
}

static enum err check_bytes(struct arena *a, struct str base64, struct str bytes,
                            const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    struct str signature;
    TRY(base64_parse(a, base64, &signature));
    return signature.n == SIGN_SIZE ? sign_check(public_key, bytes, (const uint8_t *)signature.p)
                                    : ERR_SYNTAX;
}

/* Without a look at who may use which key id. */
static enum err check_raw(struct arena *a, struct str base64, const struct json *object,
                          bool strict, const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    struct buf text;
    if (str_is_absent(base64)) {
        return ERR_ABSENT;
    }
    buf_init(&text, SIGNED_MAX);
    enum err err = write_canonical(&text, strict, object, LEAVING_OUT(unsigned_parts));
    if (err == ERR_NONE) {
        err = check_bytes(a, base64, buf_str(&text), public_key);
    }
    buf_release(&text);
    return err;
}

enum err seal_json_sign(struct arena *a, struct json *object, const struct event_signer *signer)
{
    return sign_object(a, object, true, signer);
}

static struct json *request_object(struct arena *a, const struct seal_request *request,
                                   struct str origin)
{
    struct json *object = json_object(a);
    json_put_text(object, "method", request->method);
    json_put_text(object, "uri", request->uri);
    json_put_text(object, "origin", origin);
    json_put_text(object, "destination", request->destination);
    if (request->content != NULL) {
        json_put(object, STR("content"), json_copy(a, request->content));
    }
    return object;
}

enum err seal_request_sign(struct arena *a, const struct seal_request *request,
                           const struct event_signer *signer, struct str *out)
{
    struct json *object = request_object(a, request, signer->server);
    TRY(sign_object(a, object, false, signer));
    const struct json *ours = json_get(json_get_object(object, "signatures"), signer->server);
    *out = arena_fmt(a, "X-Matrix origin=\"%.*s\",destination=\"%.*s\",key=\"%.*s\",sig=\"%.*s\"",
                     STR_ARG(signer->server), STR_ARG(request->destination),
                     STR_ARG(signer->key_id), STR_ARG(json_text(json_get(ours, signer->key_id))));
    return ERR_NONE;
}

enum err seal_request_check(struct arena *a, const struct seal_request *request,
                            const struct seal_request_claim *claim,
                            const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    if (!mxid_key_id_fits(claim->origin, claim->key_id)) {
        return ERR_REFUSED;
    }
    return check_raw(a, claim->signature, request_object(a, request, claim->origin), false,
                     public_key);
}

enum err seal_json_check(struct arena *a, const struct json *object, struct str server,
                         struct str key_id, const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    if (!mxid_key_id_fits(server, key_id)) {
        return ERR_REFUSED;
    }
    return check_raw(a, signature_of(object, server, key_id), object, true, public_key);
}

enum err seal_user_json_check(struct arena *a, const struct json *object, struct str user_id,
                              struct str key_id, const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    return check_raw(a, signature_of(object, user_id, key_id), object, true, public_key);
}

struct strs seal_key_ids(struct arena *a, const struct json *object, struct str server)
{
    const struct json *of_server = json_get(json_get(object, STR("signatures")), server);
    struct str *ids = arena_array(a, json_count(of_server), sizeof(*ids));
    size_t n = 0;
    for (const struct json *x = json_first(of_server); x != NULL; x = json_next(x)) {
        if (mxid_is_key_id(json_key(x)) && json_is(x, JSON_TEXT)) {
            ids[n] = json_key(x);
            n++;
        }
    }
    return (struct strs){ids, n};
}

enum err seal_key_parse(struct str base64, uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    struct arena *a = arena_new();
    struct str bytes;
    enum err err = base64.n > 64 ? ERR_SYNTAX : base64_parse(a, base64, &bytes);
    if (err == ERR_NONE && bytes.n != SIGN_PUBLIC_SIZE) {
        err = ERR_SYNTAX;
    }
    if (err == ERR_NONE) {
        memcpy(public_key, bytes.p, SIGN_PUBLIC_SIZE);
    }
    arena_free(a);
    return err;
}

/* --- events ------------------------------------------------------------------------------- */

enum err seal_content_hash(const struct room_version *version, const struct json *pdu,
                           uint8_t out[HASH_SIZE])
{
    struct buf text;
    buf_init(&text, SIGNED_MAX);
    enum err err = write_canonical(&text, version->strict_json, pdu, LEAVING_OUT(unhashed_parts));
    if (err == ERR_NONE) {
        hash_sha256(out, buf_str(&text));
    }
    buf_release(&text);
    return err;
}

enum err seal_bytes(struct arena *a, const struct room_version *version, const struct json *pdu,
                    struct str *out)
{
    struct buf text;
    *out = STR_ABSENT;
    buf_init(&text, SIGNED_MAX);
    enum err err = write_canonical(&text, version->strict_json, redact_json(a, version, pdu),
                                   LEAVING_OUT(unsigned_parts));
    if (err == ERR_NONE) {
        *out = arena_str(a, buf_str(&text));
    }
    buf_release(&text);
    return err;
}

struct str seal_name(struct arena *a, const struct room_version *version, struct str sealed)
{
    uint8_t hash[HASH_SIZE];
    hash_sha256(hash, sealed);
    struct str bytes = str_make(hash, sizeof(hash));
    struct str text =
        version->id_form == VERSION_ID_BASE64 ? base64_write(a, bytes) : base64url_write(a, bytes);
    return arena_join(a, STR("$"), text, STR_ABSENT);
}

enum err seal_event_id(struct arena *a, const struct room_version *version, const struct json *pdu,
                       struct str *id)
{
    struct str sealed;
    if (version->id_form == VERSION_ID_SERVER) {
        *id = json_get_text(pdu, "event_id");
        return str_is_absent(*id) ? ERR_SYNTAX : ERR_NONE;
    }
    TRY(seal_bytes(a, version, pdu, &sealed));
    *id = seal_name(a, version, sealed);
    return ERR_NONE;
}

enum err seal_countersign(struct arena *a, const struct room_version *version, struct json *pdu,
                          const struct event_signer *signer)
{
    struct str sealed;
    TRY(seal_bytes(a, version, pdu, &sealed));
    sign_into(a, pdu, sealed, signer);
    return ERR_NONE;
}

enum err seal_sign(struct arena *a, const struct room_version *version, struct json *pdu,
                   const struct event_signer *signer, struct str *sealed)
{
    uint8_t hash[HASH_SIZE];
    TRY(seal_content_hash(version, pdu, hash));
    struct json *hashes = json_put_object(pdu, STR("hashes"));
    json_put_text(hashes, "sha256", base64_write(a, str_make(hash, sizeof(hash))));
    TRY(seal_bytes(a, version, pdu, sealed));
    sign_into(a, pdu, *sealed, signer);
    return ERR_NONE;
}

bool seal_hash_fits(struct arena *a, const struct event *ev)
{
    uint8_t hash[HASH_SIZE];
    struct str claimed;
    struct str text = json_get_text(json_get(ev->tree, STR("hashes")), "sha256");
    return seal_content_hash(ev->version, ev->tree, hash) == ERR_NONE && text.n > 0 &&
           base64_parse(a, text, &claimed) == ERR_NONE &&
           hash_eq(claimed, str_make(hash, sizeof(hash)));
}

enum err seal_check(struct arena *a, const struct event *ev, struct str server, struct str key_id,
                    const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    if (!mxid_key_id_fits(server, key_id)) {
        return ERR_REFUSED;
    }
    struct str signature = signature_of(ev->tree, server, key_id);
    struct str sealed = ev->sealed;
    if (str_is_absent(signature)) {
        return ERR_ABSENT;
    }
    if (str_is_absent(sealed)) {
        TRY(seal_bytes(a, ev->version, ev->tree, &sealed));
    }
    return check_bytes(a, signature, sealed, public_key);
}

struct strs seal_servers(struct arena *a, const struct event *ev)
{
    struct str *servers = arena_array(a, 3, sizeof(*servers));
    size_t n = 0;
    struct str membership = event_membership(ev);
    struct str authoriser = json_get_text(ev->content, "join_authorised_via_users_server");
    struct str wanted[3] = {mxid_server(ev->sender), STR_ABSENT, STR_ABSENT};
    if (str_eq(membership, STR("invite")) &&
        json_get(ev->content, STR("third_party_invite")) != NULL) {
        wanted[0] = STR_ABSENT;
    }
    if (ev->version->id_form == VERSION_ID_SERVER) {
        wanted[1] = mxid_server(ev->id);
    }
    if (ev->version->restricted && str_eq(membership, STR("join")) && !str_is_absent(authoriser)) {
        wanted[2] = mxid_server(authoriser);
        /* A user id without a server is signed by nobody: keep a name that no key fits. */
        wanted[2] = str_is_absent(wanted[2]) ? STR("") : wanted[2];
    }
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        bool known = str_is_absent(wanted[i]);
        for (size_t k = 0; k < n; k++) {
            known = known || str_eq(servers[k], wanted[i]);
        }
        if (!known) {
            servers[n] = wanted[i];
            n++;
        }
    }
    return (struct strs){servers, n};
}

bool seal_third_party_fits(struct arena *a, const struct json *signed_object, struct str key)
{
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    const struct json *signatures = json_get_object(signed_object, "signatures");
    if (seal_key_parse(key, public_key) != ERR_NONE) {
        return false;
    }
    size_t left = THIRD_PARTY_SIGNATURES_MAX;
    for (const struct json *s = json_first(signatures); s != NULL; s = json_next(s)) {
        for (const struct json *x = json_first(s); x != NULL && left > 0; x = json_next(x)) {
            left--;
            if (mxid_is_key_id(json_key(x)) &&
                check_raw(a, json_text(x), signed_object, true, public_key) == ERR_NONE) {
                return true;
            }
        }
    }
    return false;
}
