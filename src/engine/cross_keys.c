/* Rows of cross-signing keys and of signatures. */
#include "engine/cross_keys.h"

#include "engine/device_lists.h"
#include "engine/share.h"

static const struct {
    const char *usage, *member;
    bool is_own; /* shown to the user alone */
} usages[] = {
    {"master", "master_keys", false},
    {"self_signing", "self_signing_keys", false},
    {"user_signing", "user_signing_keys", true},
};

enum err cross_key_get(struct hs *hs, struct arena *a, int64_t user, const char *usage,
                       struct json **out, struct str *key)
{
    struct query q;
    *out = NULL;
    *key = STR_ABSENT;
    enum err err = query_one(&q, hs->store, STMT_CROSS_KEY_GET, "it", user, str_of(usage));
    if (err != ERR_NONE) {
        return err == ERR_ABSENT ? ERR_NONE : err;
    }
    struct str text = query_str(&q, a, 0);
    *key = query_str(&q, a, 1);
    TRY(query_end(&q));
    return json_parse(a, text, out, NULL) == ERR_NONE ? ERR_NONE : ERR_CORRUPT;
}

static struct json *child(struct json *object, struct str name)
{
    struct json *found = json_get(object, name);
    return json_is(found, JSON_OBJECT) ? found : json_put_object(object, name);
}

static enum err read_signatures(struct hs *hs, struct arena *a, int64_t user, struct str key,
                                int64_t signer, struct json **out)
{
    struct str text;
    *out = NULL;
    TRY(store_get_str(hs->store, a, &text, STMT_KEY_SIGNATURES_GET, "iti", user, key, signer));
    if (text.p == NULL) {
        return ERR_NONE;
    }
    return json_parse(a, text, out, NULL) == ERR_NONE ? ERR_NONE : ERR_CORRUPT;
}

enum err key_signatures_add(struct hs *hs, int64_t user, struct str key, int64_t signer,
                            const struct json *signatures)
{
    struct json *all;
    TRY(read_signatures(hs, hs->turn, user, key, signer, &all));
    all = all == NULL ? json_object(hs->turn) : all;
    for (const struct json *x = json_first(signatures); x != NULL; x = json_next(x)) {
        json_put(all, json_key(x), json_copy(hs->turn, x));
    }
    if (json_count(all) > KEY_SIGNATURES_MAX) {
        return ERR_NONE;
    }
    return store_run(hs->store, STMT_KEY_SIGNATURES_PUT, "itit", user, key, signer,
                     json_str(hs->turn, all));
}

enum err key_signatures_put(struct hs *hs, struct arena *a, int64_t user, struct str key,
                            int64_t signer, struct json *object)
{
    struct json *said;
    struct str signer_id;
    TRY(read_signatures(hs, a, user, key, signer, &said));
    if (said == NULL) {
        return ERR_NONE;
    }
    TRY(store_name_text(hs->store, a, signer, &signer_id));
    struct json *into = child(child(object, STR("signatures")), signer_id);
    for (const struct json *x = json_first(said); x != NULL; x = json_next(x)) {
        json_put(into, json_key(x), json_copy(a, x));
    }
    return ERR_NONE;
}

enum err cross_keys_put(struct hs *hs, struct arena *a, struct str user_id, int64_t viewer,
                        struct json *out)
{
    int64_t user;
    TRY(store_name_find(hs->store, user_id, &user));
    for (size_t i = 0; user != 0 && i < COUNT_OF(usages); i++) {
        struct json *object;
        struct str key;
        if (usages[i].is_own && viewer != user) {
            continue;
        }
        TRY(cross_key_get(hs, a, user, usages[i].usage, &object, &key));
        if (object == NULL) {
            continue;
        }
        TRY(key_signatures_put(hs, a, user, key, user, object));
        if (viewer != 0 && viewer != user) {
            TRY(key_signatures_put(hs, a, user, key, viewer, object));
        }
        json_put(child(out, str_of(usages[i].member)), user_id, object);
    }
    return ERR_NONE;
}

enum err cross_keys_changed(struct hs *hs, int64_t user, struct str user_id, bool tell_servers)
{
    struct json *content = json_object(hs->turn);
    struct json *keys = json_object(hs->turn);
    TRY(device_list_note(hs, user));
    if (!tell_servers) {
        return ERR_NONE;
    }
    TRY(cross_keys_put(hs, hs->turn, user_id, 0, keys));
    json_put_text(content, "user_id", user_id);
    for (size_t i = 0; i < 2; i++) {
        const struct json *key = json_get(json_get(keys, str_of(usages[i].member)), user_id);
        if (key != NULL) {
            json_put(content, arena_fmt(hs->turn, "%s_key", usages[i].usage),
                     json_copy(hs->turn, key));
        }
    }
    return share_edu(hs, user, STR("m.signing_key_update"), content, STR_ABSENT);
}
