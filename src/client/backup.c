/* Backups of room keys. The keys are encrypted by the client; only what says how good a key is can
 * be read here. */
#include "client/backup.h"

struct backup {
    int64_t version, etag;
    struct str algorithm, auth_data;
};

static enum err take_row(struct req *req, struct query *q, struct backup *out)
{
    out->version = query_int(q, 0);
    out->algorithm = query_str(q, req->a, 1);
    out->auth_data = query_str(q, req->a, 2);
    out->etag = query_int(q, 3);
    return query_end(q);
}

static enum err no_version(struct req *req)
{
    return reply_not_found(req, "you have no such backup version");
}

/* ERR_ABSENT: there is none. */
static enum err find_current(struct hs *hs, struct req *req, struct backup *out)
{
    struct query q;
    TRY(query_one(&q, hs->store, STMT_BACKUP_VERSION_CURRENT, "i", req->user));
    return take_row(req, &q, out);
}

/* The version that a text names; ERR_ABSENT: not there. */
static enum err find(struct hs *hs, struct req *req, struct str text, struct backup *out)
{
    struct query q;
    int64_t version;
    if (!str_to_i64(text, &version)) {
        return ERR_ABSENT;
    }
    TRY(query_one(&q, hs->store, STMT_BACKUP_VERSION_GET, "ii", req->user, version));
    return take_row(req, &q, out);
}

static struct str number(struct req *req, int64_t n)
{
    return arena_fmt(req->a, "%lld", (long long)n);
}

/* --- versions ------------------------------------------------------------------------------- */

enum err backup_version_post(struct hs *hs, struct req *req)
{
    int64_t last;
    struct str auth_data = json_str(req->a, json_get(req->body, STR("auth_data")));
    TRY(store_get_int(hs->store, &last, 0, STMT_BACKUP_VERSION_LAST, "i", req->user));
    TRY(store_run(hs->store, STMT_BACKUP_VERSION_PUT, "iitt", req->user, last + 1,
                  json_get_text(req->body, "algorithm"), auth_data));
    struct json *out = json_object(req->a);
    json_put_text(out, "version", number(req, last + 1));
    return reply_json(req, out);
}

static enum err reply_version(struct hs *hs, struct req *req, const struct backup *b)
{
    struct json *out = json_object(req->a);
    struct json *auth_data;
    int64_t count;
    TRY(store_get_int(hs->store, &count, 0, STMT_BACKUP_KEY_COUNT, "ii", req->user, b->version));
    if (json_parse(req->a, b->auth_data, &auth_data, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    json_put_text(out, "algorithm", b->algorithm);
    json_put(out, STR("auth_data"), auth_data);
    json_put_int(out, "count", count);
    json_put_text(out, "etag", number(req, b->etag));
    json_put_text(out, "version", number(req, b->version));
    return reply_json(req, out);
}

enum err backup_current_get(struct hs *hs, struct req *req)
{
    struct backup b;
    enum err err = find_current(hs, req, &b);
    if (err == ERR_ABSENT) {
        return no_version(req);
    }
    TRY(err);
    return reply_version(hs, req, &b);
}

enum err backup_version_get(struct hs *hs, struct req *req)
{
    struct backup b;
    enum err err = find(hs, req, req->params[0], &b);
    if (err == ERR_ABSENT) {
        return no_version(req);
    }
    TRY(err);
    return reply_version(hs, req, &b);
}

enum err backup_version_put(struct hs *hs, struct req *req)
{
    struct backup b;
    struct str version = json_get_text(req->body, "version");
    enum err err = find(hs, req, req->params[0], &b);
    if (err == ERR_ABSENT) {
        return no_version(req);
    }
    TRY(err);
    if (version.p != NULL && !str_eq(version, req->params[0])) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'version' is not that of the path");
    }
    if (!str_eq(json_get_text(req->body, "algorithm"), b.algorithm)) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "a backup keeps its algorithm; make a new version");
    }
    TRY(store_run(hs->store, STMT_BACKUP_VERSION_AUTH, "tii",
                  json_str(req->a, json_get(req->body, STR("auth_data"))), req->user, b.version));
    return reply_empty(req);
}

enum err backup_version_delete(struct hs *hs, struct req *req)
{
    struct backup b;
    enum err err = find(hs, req, req->params[0], &b);
    if (err == ERR_ABSENT) {
        return no_version(req);
    }
    TRY(err);
    TRY(store_run(hs->store, STMT_BACKUP_KEY_DROP, "ii", req->user, b.version));
    TRY(store_run(hs->store, STMT_BACKUP_VERSION_DROP, "ii", req->user, b.version));
    return reply_empty(req);
}

/* --- keys ----------------------------------------------------------------------------------- */

/* The version of the query; *ok false: the refusal is set. */
static enum err asked_version(struct hs *hs, struct req *req, struct backup *b, bool *ok)
{
    struct str version = req_query(req, "version");
    *ok = false;
    if (str_is_empty(version)) {
        return reply_error(req, 400, "M_MISSING_PARAM", "the query lacks 'version'");
    }
    enum err err = find(hs, req, version, b);
    if (err == ERR_ABSENT) {
        return no_version(req);
    }
    *ok = err == ERR_NONE;
    return err;
}

/* One that may be written: the newest. */
static enum err writable_version(struct hs *hs, struct req *req, struct backup *b, bool *ok)
{
    struct backup asked;
    TRY(asked_version(hs, req, &asked, ok));
    if (!*ok) {
        return ERR_NONE;
    }
    TRY(find_current(hs, req, b));
    *ok = asked.version == b->version;
    if (*ok) {
        return ERR_NONE;
    }
    TRY(reply_error(req, 403, "M_WRONG_ROOM_KEYS_VERSION",
                    "only the newest backup version can be written"));
    json_put_text(req->reply.json, "current_version", number(req, b->version));
    return ERR_NONE;
}

/* "Backup keys": verified, then the earliest index, then the fewest hands. */
static bool is_better(const struct json *fresh, const struct json *old)
{
    bool verified = json_get_bool(fresh, "is_verified", false);
    int64_t first = json_get_int(fresh, "first_message_index", 0);
    int64_t old_first = json_get_int(old, "first_message_index", 0);
    if (verified != json_get_bool(old, "is_verified", false)) {
        return verified;
    }
    if (first != old_first) {
        return first < old_first;
    }
    return json_get_int(fresh, "forwarded_count", 0) < json_get_int(old, "forwarded_count", 0);
}

static bool is_key_data(const struct json *data)
{
    int64_t n;
    return json_int(json_get(data, STR("first_message_index")), &n) &&
           json_int(json_get(data, STR("forwarded_count")), &n) &&
           json_is(json_get(data, STR("is_verified")), JSON_BOOL) &&
           json_get_object(data, "session_data") != NULL;
}

static enum err put_key(struct hs *hs, struct req *req, const struct backup *b, struct str room_id,
                        struct str session_id, const struct json *data)
{
    struct str text;
    struct json *old = NULL;
    if (!is_key_data(data)) {
        return reply_error(req, 400, "M_BAD_JSON",
                           "a key has first_message_index, forwarded_count, is_verified and "
                           "session_data");
    }
    TRY(store_get_str(hs->store, req->a, &text, STMT_BACKUP_KEY_GET, "iitt", req->user, b->version,
                      room_id, session_id));
    if (text.p != NULL && json_parse(req->a, text, &old, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    if (old != NULL && !is_better(data, old)) {
        return ERR_NONE;
    }
    return store_run(hs->store, STMT_BACKUP_KEY_PUT, "iittt", req->user, b->version, room_id,
                     session_id, json_str(req->a, data));
}

static enum err put_room(struct hs *hs, struct req *req, const struct backup *b, struct str room_id,
                         const struct json *room)
{
    const struct json *sessions = json_get_object(room, "sessions");
    if (sessions == NULL) {
        return reply_error(req, 400, "M_BAD_JSON", "a room has an object 'sessions'");
    }
    for (const struct json *x = json_first(sessions); x != NULL && req->reply.status == 0;
         x = json_next(x)) {
        TRY(put_key(hs, req, b, room_id, json_key(x), x));
    }
    return ERR_NONE;
}

static enum err put_all(struct hs *hs, struct req *req, const struct backup *b)
{
    const struct json *rooms = json_get_object(req->body, "rooms");
    if (rooms == NULL) {
        return reply_error(req, 400, "M_BAD_JSON", "the body has an object 'rooms'");
    }
    for (const struct json *x = json_first(rooms); x != NULL && req->reply.status == 0;
         x = json_next(x)) {
        TRY(put_room(hs, req, b, json_key(x), x));
    }
    return ERR_NONE;
}

/* {count, etag} after a change. */
static enum err reply_changed(struct hs *hs, struct req *req, const struct backup *b)
{
    int64_t count;
    struct json *out = json_object(req->a);
    TRY(store_run(hs->store, STMT_BACKUP_VERSION_TOUCH, "ii", req->user, b->version));
    TRY(store_get_int(hs->store, &count, 0, STMT_BACKUP_KEY_COUNT, "ii", req->user, b->version));
    if (count > BACKUP_KEYS_MAX) {
        return reply_error(req, 403, "M_RESOURCE_LIMIT_EXCEEDED", "a backup has at most %d keys",
                           BACKUP_KEYS_MAX);
    }
    json_put_int(out, "count", count);
    json_put_text(out, "etag", number(req, b->etag + 1));
    return reply_json(req, out);
}

enum err backup_keys_put(struct hs *hs, struct req *req)
{
    struct backup b;
    bool ok;
    TRY(writable_version(hs, req, &b, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    switch (req->n_params) {
    case 0:
        TRY(put_all(hs, req, &b));
        break;
    case 1:
        TRY(put_room(hs, req, &b, req->params[0], req->body));
        break;
    default:
        TRY(put_key(hs, req, &b, req->params[0], req->params[1], req->body));
        break;
    }
    return req->reply.status != 0 ? ERR_NONE : reply_changed(hs, req, &b);
}

static enum err reply_key(struct hs *hs, struct req *req, const struct backup *b)
{
    struct str text;
    struct json *data;
    TRY(store_get_str(hs->store, req->a, &text, STMT_BACKUP_KEY_GET, "iitt", req->user, b->version,
                      req->params[0], req->params[1]));
    if (text.p == NULL) {
        return reply_not_found(req, "the backup has no such key");
    }
    return json_parse(req->a, text, &data, NULL) == ERR_NONE ? reply_json(req, data) : ERR_CORRUPT;
}

static struct json *sessions_of(struct json *rooms, struct str room_id)
{
    struct json *room = json_get(rooms, room_id);
    return room != NULL ? json_get(room, STR("sessions"))
                        : json_put_object(json_put_object(rooms, room_id), STR("sessions"));
}

enum err backup_keys_get(struct hs *hs, struct req *req)
{
    struct backup b;
    struct query q;
    bool ok;
    TRY(asked_version(hs, req, &b, &ok));
    if (!ok || req->n_params == 2) {
        return ok ? reply_key(hs, req, &b) : ERR_NONE;
    }
    bool is_room = req->n_params == 1;
    struct json *out = json_object(req->a);
    struct json *rooms = is_room ? json_object(req->a) : json_put_object(out, STR("rooms"));
    struct json *sessions = is_room ? json_put_object(out, STR("sessions")) : NULL;
    if (is_room) {
        query_start(&q, hs->store, STMT_BACKUP_KEY_LIST_ROOM, "iit", req->user, b.version,
                    req->params[0]);
    } else {
        query_start(&q, hs->store, STMT_BACKUP_KEY_LIST, "ii", req->user, b.version);
    }
    enum err err = ERR_NONE;
    while (err == ERR_NONE && query_next(&q)) {
        struct json *data;
        struct str room_id = query_str(&q, req->a, 0);
        err = json_parse(req->a, query_str(&q, req->a, 2), &data, NULL) == ERR_NONE ? ERR_NONE
                                                                                    : ERR_CORRUPT;
        if (err == ERR_NONE) {
            json_put(is_room ? sessions : sessions_of(rooms, room_id), query_str(&q, req->a, 1),
                     data);
        }
    }
    enum err ended = query_end(&q);
    TRY(err != ERR_NONE ? err : ended);
    return reply_json(req, out);
}

enum err backup_keys_delete(struct hs *hs, struct req *req)
{
    struct backup b;
    bool ok;
    TRY(asked_version(hs, req, &b, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    switch (req->n_params) {
    case 0:
        TRY(store_run(hs->store, STMT_BACKUP_KEY_DROP, "ii", req->user, b.version));
        break;
    case 1:
        TRY(store_run(hs->store, STMT_BACKUP_KEY_DROP_ROOM, "iit", req->user, b.version,
                      req->params[0]));
        break;
    default:
        TRY(store_run(hs->store, STMT_BACKUP_KEY_DROP_ONE, "iitt", req->user, b.version,
                      req->params[0], req->params[1]));
        break;
    }
    return reply_changed(hs, req, &b);
}
