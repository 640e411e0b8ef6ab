/* Cross-signing keys come with the password, except the first; signatures are checked with the keys
 * that are stored. */
#include "client/cross_signing.h"

#include "client/uia.h"
#include "engine/cross_keys.h"
#include "engine/device_keys.h"
#include "engine/device_lists.h"
#include "event/mxid.h"
#include "event/seal.h"

enum usage { MASTER, SELF_SIGNING, USER_SIGNING, USAGES };

static const char *const usage_names[USAGES] = {"master", "self_signing", "user_signing"};

struct uploaded {
    const struct json *object; /* NULL: not in the request */
    struct str key;            /* base64 */
    struct str stored_key;     /* absent: none */
};

/* Is it signed with this key, in base64, by the user? */
static bool is_signed(struct req *req, const struct json *object, struct str key)
{
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    struct str id = arena_join(req->a, STR("ed25519:"), key, STR(""));
    return key.p != NULL && seal_key_parse(key, public_key) == ERR_NONE &&
           seal_user_json_check(req->a, object, req->user_id, id, public_key) == ERR_NONE;
}

/* --- keys ----------------------------------------------------------------------------------- */

static bool has_usage(const struct json *object, const char *usage)
{
    const struct json *x = json_first(json_get_array(object, "usage"));
    while (x != NULL && !str_eq(json_text(x), str_of(usage))) {
        x = json_next(x);
    }
    return x != NULL;
}

/* Fills the key; a refusal is set when there is something wrong with it. */
static enum err read_key(struct hs *hs, struct req *req, enum usage usage, struct uploaded *out)
{
    const char *name = usage_names[usage];
    struct str member = arena_fmt(req->a, "%s_key", name);
    struct json *stored;
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    struct query q;
    TRY(cross_key_get(hs, req->a, req->user, name, &stored, &out->stored_key));
    out->object = json_get_object(req->body, member.p);
    if (out->object == NULL) {
        return ERR_NONE;
    }
    const struct json *keys = json_get_object(out->object, "keys");
    out->key = json_text(json_first(keys));
    if (!str_eq(json_get_text(out->object, "user_id"), req->user_id) ||
        !has_usage(out->object, name) || json_count(keys) != 1 ||
        seal_key_parse(out->key, public_key) != ERR_NONE ||
        !str_eq(json_key(json_first(keys)),
                arena_join(req->a, STR("ed25519:"), out->key, STR("")))) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "'%.*s' wants your user_id, its usage, and one key named "
                           "ed25519:<the key in base64>",
                           STR_ARG(member));
    }
    enum err err = query_one(&q, hs->store, STMT_DEVICE_GET, "it", req->user, out->key);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(query_end(&q));
    return reply_forbidden(req, "a device of yours has this key's name");
}

static enum err check_signatures(struct req *req, const struct uploaded *keys)
{
    struct str master = keys[MASTER].object != NULL ? keys[MASTER].key : keys[MASTER].stored_key;
    for (size_t i = SELF_SIGNING; i < USAGES; i++) {
        if (keys[i].object == NULL) {
            continue;
        }
        if (master.p == NULL) {
            return reply_error(req, 400, "M_MISSING_PARAM",
                               "a master key must come first, or in the same request");
        }
        if (!is_signed(req, keys[i].object, master)) {
            return reply_error(req, 400, "M_INVALID_SIGNATURE",
                               "the %s key is not signed by the master key", usage_names[i]);
        }
    }
    return ERR_NONE;
}

/* Something that is not there yet, beside a master key that is? */
static bool wants_password(const struct uploaded *keys)
{
    bool is_new = false;
    for (size_t i = 0; i < USAGES; i++) {
        is_new = is_new || (keys[i].object != NULL && !str_eq(keys[i].key, keys[i].stored_key));
    }
    return is_new && keys[MASTER].stored_key.p != NULL;
}

enum err device_signing_post(struct hs *hs, struct req *req)
{
    struct uploaded keys[USAGES] = {{0}};
    bool ok = true;
    bool told = false;
    bool seen = false;
    for (size_t i = 0; i < USAGES; i++) {
        TRY(read_key(hs, req, (enum usage)i, &keys[i]));
        if (req->reply.status != 0) {
            return ERR_NONE;
        }
    }
    TRY(check_signatures(req, keys));
    if (req->reply.status != 0) {
        return ERR_NONE;
    }
    if (wants_password(keys)) {
        TRY(uia_password(hs, req, &ok));
    }
    if (!ok) {
        return ERR_NONE;
    }
    for (size_t i = 0; i < USAGES; i++) {
        if (keys[i].object != NULL) {
            TRY(store_run(hs->store, STMT_CROSS_KEY_PUT, "ittt", req->user, str_of(usage_names[i]),
                          keys[i].key, json_str(req->a, keys[i].object)));
            told = true;
            seen = seen || i != USER_SIGNING;
        }
    }
    if (told) {
        TRY(reply_limit(req, cross_keys_changed(hs, req->user, req->user_id, seen)));
    }
    return req->reply.status != 0 ? ERR_NONE : reply_empty(req);
}

/* --- signatures ----------------------------------------------------------------------------- */

/* The same but for signatures and unsigned. */
static bool is_same(struct arena *a, const struct json *x, const struct json *y)
{
    struct json *left = json_copy(a, x);
    struct json *right = json_copy(a, y);
    json_remove(left, STR("signatures"));
    json_remove(left, STR("unsigned"));
    json_remove(right, STR("signatures"));
    json_remove(right, STR("unsigned"));
    return json_eq(left, right);
}

/* Is the object signed by one of the user's own devices? */
static enum err is_signed_by_device(struct hs *hs, struct req *req, const struct json *object,
                                    bool *fits)
{
    const struct json *signatures = json_get(json_get(object, STR("signatures")), req->user_id);
    size_t n = 0;
    *fits = false;
    for (const struct json *x = json_first(signatures);
         x != NULL && n < KEY_SIGNATURES_MAX && !*fits; x = json_next(x), n++) {
        struct str algorithm;
        struct str device_id;
        struct json *device = NULL;
        uint8_t public_key[SIGN_PUBLIC_SIZE];
        if (str_cut(json_key(x), ':', &algorithm, &device_id)) {
            TRY(device_keys_one(hs, req->a, req->user, device_id, &device));
        }
        struct str key = json_text(json_get(json_get(device, STR("keys")), json_key(x)));
        *fits =
            key.p != NULL && seal_key_parse(key, public_key) == ERR_NONE &&
            seal_user_json_check(req->a, object, req->user_id, json_key(x), public_key) == ERR_NONE;
    }
    return ERR_NONE;
}

struct refusal {
    const char *errcode, *error; /* NULL: taken */
};

static const struct refusal unknown_key = {"M_NOT_FOUND", "there is no such key"};
static const struct refusal other_key = {"M_INVALID_PARAM", "this is not the key that is stored"};
static const struct refusal bad_signature = {"M_INVALID_SIGNATURE", "the signature does not fit"};

static enum err sign_own(struct hs *hs, struct req *req, struct str key, const struct json *object,
                         struct refusal *out)
{
    struct json *device;
    struct json *master;
    struct json *stored;
    struct str master_key;
    struct str signing_key;
    bool fits;
    TRY(device_keys_one(hs, req->a, req->user, key, &device));
    TRY(cross_key_get(hs, req->a, req->user, "master", &master, &master_key));
    TRY(cross_key_get(hs, req->a, req->user, "self_signing", &stored, &signing_key));
    bool is_master = device == NULL && str_eq(key, master_key);
    if (device == NULL && !is_master) {
        *out = unknown_key;
        return ERR_NONE;
    }
    if (!is_same(req->a, object, is_master ? master : device)) {
        *out = other_key;
        return ERR_NONE;
    }
    if (is_master) {
        TRY(is_signed_by_device(hs, req, object, &fits));
    } else {
        fits = is_signed(req, object, signing_key);
    }
    if (!fits) {
        *out = bad_signature;
        return ERR_NONE;
    }
    const struct json *said = json_get(json_get(object, STR("signatures")), req->user_id);
    TRY(key_signatures_add(hs, req->user, key, req->user, said));
    return is_master ? cross_keys_changed(hs, req->user, req->user_id, true)
                     : device_list_changed(hs, req->user, req->user_id, key);
}

/* Another user's master key. One of elsewhere is not stored here: it must name itself. */
static enum err sign_other(struct hs *hs, struct req *req, struct str user_id, struct str key,
                           const struct json *object, struct refusal *out)
{
    struct json *own;
    struct json *master;
    struct str signing_key;
    struct str master_key;
    int64_t user;
    TRY(cross_key_get(hs, req->a, req->user, "user_signing", &own, &signing_key));
    TRY(store_name_find(hs->store, user_id, &user));
    if (user == 0) {
        *out = unknown_key;
        return ERR_NONE;
    }
    if (hs_is_ours(hs, user_id)) {
        TRY(cross_key_get(hs, req->a, user, "master", &master, &master_key));
        *out = !str_eq(key, master_key)           ? unknown_key
               : !is_same(req->a, object, master) ? other_key
                                                  : (struct refusal){0};
    } else if (!str_eq(json_text(json_first(json_get_object(object, "keys"))), key)) {
        *out = other_key;
    }
    if (out->errcode != NULL) {
        return ERR_NONE;
    }
    if (!is_signed(req, object, signing_key)) {
        *out = bad_signature;
        return ERR_NONE;
    }
    const struct json *said = json_get(json_get(object, STR("signatures")), req->user_id);
    TRY(key_signatures_add(hs, user, key, req->user, said));
    return device_list_note(hs, user); /* the signer's other devices look again */
}

static struct json *child(struct json *object, struct str name)
{
    struct json *found = json_get(object, name);
    return found != NULL ? found : json_put_object(object, name);
}

static enum err sign_one(struct hs *hs, struct req *req, struct str user_id,
                         const struct json *object, struct json *failures)
{
    struct refusal refusal = {0};
    if (str_eq(user_id, req->user_id)) {
        TRY(sign_own(hs, req, json_key(object), object, &refusal));
    } else {
        TRY(sign_other(hs, req, user_id, json_key(object), object, &refusal));
    }
    if (refusal.errcode != NULL) {
        struct json *said = json_put_object(child(failures, user_id), json_key(object));
        json_put_text(said, "errcode", str_of(refusal.errcode));
        json_put_text(said, "error", str_of(refusal.error));
    }
    return ERR_NONE;
}

enum err signatures_post(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    struct json *failures = json_put_object(out, STR("failures"));
    size_t n = 0;
    for (const struct json *user = json_first(req->body); user != NULL; user = json_next(user)) {
        for (const struct json *x = json_first(user); x != NULL; x = json_next(x)) {
            if (!json_is(user, JSON_OBJECT) || !json_is(x, JSON_OBJECT) ||
                !mxid_is_user(json_key(user))) {
                return reply_error(req, 400, "M_BAD_JSON", "the body is {user: {key: object}}");
            }
            if (++n > DEVICES_MAX) {
                return reply_error(req, 400, "M_LIMIT_EXCEEDED", "at most %d keys at once",
                                   DEVICES_MAX);
            }
            TRY(sign_one(hs, req, json_key(user), x, failures));
        }
    }
    return reply_json(req, out);
}
