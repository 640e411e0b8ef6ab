/* Rows of keys. */
#include "engine/device_keys.h"

#include "engine/cross_keys.h"

struct rows {
    struct str id[DEVICES_MAX], json[DEVICES_MAX], name[DEVICES_MAX];
    size_t n;
};

static enum err list(struct hs *hs, struct arena *a, int64_t user, struct rows *out)
{
    struct query q;
    query_start(&q, hs->store, STMT_DEVICE_KEYS_LIST, "i", user);
    while (out->n < DEVICES_MAX && query_next(&q)) {
        out->id[out->n] = query_str(&q, a, 0);
        out->json[out->n] = query_str(&q, a, 1);
        out->name[out->n] = query_str(&q, a, 2);
        out->n++;
    }
    return query_end(&q);
}

bool device_keys_is_wanted(const struct json *devices, struct str id)
{
    const struct json *x = json_first(devices);
    bool all = x == NULL;
    while (x != NULL && !str_eq(json_text(x), id)) {
        x = json_next(x);
    }
    return all || x != NULL;
}

enum err device_keys_get(struct hs *hs, struct arena *a, struct str user_id,
                         const struct json *devices, struct json **out)
{
    struct rows *rows = ARENA_NEW(a, struct rows);
    int64_t user;
    *out = json_object(a);
    TRY(store_name_find(hs->store, user_id, &user));
    TRY(list(hs, a, user, rows));
    for (size_t i = 0; i < rows->n; i++) {
        struct json *keys;
        if (!device_keys_is_wanted(devices, rows->id[i])) {
            continue;
        }
        if (json_parse(a, rows->json[i], &keys, NULL) != ERR_NONE) {
            return ERR_CORRUPT;
        }
        TRY(key_signatures_put(hs, a, user, rows->id[i], user, keys));
        struct json *info = json_put_object(keys, STR("unsigned"));
        json_put_text(info, "device_display_name", rows->name[i]);
        json_put(*out, rows->id[i], keys);
    }
    return ERR_NONE;
}

enum err device_keys_one(struct hs *hs, struct arena *a, int64_t user, struct str device_id,
                         struct json **out)
{
    struct str text;
    *out = NULL;
    TRY(store_get_str(hs->store, a, &text, STMT_DEVICE_KEYS_GET, "it", user, device_id));
    if (text.p == NULL) {
        return ERR_NONE;
    }
    if (json_parse(a, text, out, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    return key_signatures_put(hs, a, user, device_id, user, *out);
}

/* The row at hand (id, key) as {"<algorithm>:<id>": key}; ends the query. */
static enum err take_row(struct arena *a, struct query *q, struct str algorithm, struct str *id,
                         struct json **out)
{
    struct json *key;
    *id = query_str(q, a, 0);
    struct str text = query_str(q, a, 1);
    TRY(query_end(q));
    if (json_parse(a, text, &key, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    *out = json_object(a);
    json_put(*out, arena_join(a, algorithm, STR(":"), *id), key);
    return ERR_NONE;
}

/* Takes a key away: {"<algorithm>:<id>": key}. The fallback key, which stays, when there is no
 * other. *out NULL: none. */
static enum err take_key(struct hs *hs, struct arena *a, struct str user_id, struct str device_id,
                         struct str algorithm, struct json **out)
{
    struct query q;
    struct str id;
    int64_t user;
    *out = NULL;
    TRY(store_name_find(hs->store, user_id, &user));
    enum err err = query_one(&q, hs->store, STMT_ONE_TIME_TAKE, "itt", user, device_id, algorithm);
    if (err == ERR_NONE) {
        TRY(take_row(a, &q, algorithm, &id, out));
        return store_run(hs->store, STMT_ONE_TIME_DROP, "ittt", user, device_id, algorithm, id);
    }
    TRY(err == ERR_ABSENT ? ERR_NONE : err);
    err = query_one(&q, hs->store, STMT_FALLBACK_TAKE, "itt", user, device_id, algorithm);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(take_row(a, &q, algorithm, &id, out));
    return store_run(hs->store, STMT_FALLBACK_USED, "itt", user, device_id, algorithm);
}

enum err one_time_keys_claim(struct hs *hs, struct arena *a, const struct json *asked,
                             struct json *found)
{
    struct json *devices = json_object(a);
    for (const struct json *x = json_first(asked); x != NULL; x = json_next(x)) {
        struct json *key = NULL;
        if (json_is(x, JSON_TEXT)) {
            TRY(take_key(hs, a, json_key(asked), json_key(x), json_text(x), &key));
        }
        if (key != NULL) {
            json_put(devices, json_key(x), key);
        }
    }
    if (json_count(devices) > 0) {
        json_put(found, json_key(asked), devices);
    }
    return ERR_NONE;
}

static enum err count(struct hs *hs, int64_t user, struct str device_id, int64_t *n)
{
    struct query q;
    *n = 0;
    query_start(&q, hs->store, STMT_ONE_TIME_COUNT, "it", user, device_id);
    while (query_next(&q)) {
        *n += query_int(&q, 1);
    }
    return query_end(&q);
}

enum err one_time_key_put(struct hs *hs, int64_t user, struct str device_id, struct str name,
                          const struct json *key, enum one_time_put *result)
{
    struct str algorithm;
    struct str id;
    struct str old;
    int64_t n;
    struct str text = json_str(hs->turn, key);
    *result = ONE_TIME_CLASH;
    if (!str_cut(name, ':', &algorithm, &id)) {
        return ERR_NONE;
    }
    TRY(store_get_str(hs->store, hs->turn, &old, STMT_ONE_TIME_GET, "ittt", user, device_id,
                      algorithm, id));
    if (old.p != NULL) {
        *result = str_eq(old, text) ? ONE_TIME_KEPT : ONE_TIME_CLASH;
        return ERR_NONE;
    }
    TRY(count(hs, user, device_id, &n));
    if (n >= ONE_TIME_KEYS_MAX) {
        *result = ONE_TIME_FULL;
        return ERR_NONE;
    }
    *result = ONE_TIME_KEPT;
    return store_run(hs->store, STMT_ONE_TIME_PUT, "itttt", user, device_id, algorithm, id, text);
}
