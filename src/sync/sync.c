/* GET /sync: the request, the wait, and the table of streams that fill the answer. */
#include "sync/sync.h"

#include "engine/account_data.h"
#include "engine/parked.h"
#include "engine/presence.h"
#include "engine/token.h"
#include "sync/devices.h"
#include "sync/events.h"
#include "sync/notifications.h"
#include "sync/stream.h"

/* What was asked; kept with the request while it waits. */
struct ask {
    struct sync_filter filter;
    int64_t since;
    bool is_initial, full_state, state_after;
};

struct stream {
    enum err (*initial)(struct sync *s);
    enum err (*changed)(struct sync *s);
};

/* In this order: device lists follow from who was met in rooms. */
static const struct stream streams[] = {
    {rooms_initial, rooms_changed},       {account_data_initial, account_data_changed},
    {presence_changed, presence_changed}, {to_device_pending, to_device_pending},
    {NULL, device_lists_changed},         {key_counts, key_counts},
};

struct json *sync_events(struct json *parent, const char *key)
{
    struct json *part = json_get(parent, str_of(key));
    if (part == NULL) {
        part = json_put_object(parent, str_of(key));
        return json_put_array(part, STR("events"));
    }
    return json_get(part, STR("events"));
}

bool sync_is_ignored(const struct sync *s, struct str user_id)
{
    return json_get(s->ignored, user_id) != NULL && !str_eq(user_id, s->user_id);
}

enum err sync_event(struct sync *s, const struct stored *ev, struct json **out)
{
    struct client_view view = {.user = s->user, .device_id = s->device_id, .without_room_id = true};
    if (s->filter->is_federation_format) {
        *out = json_copy(s->a, ev->ev->tree);
        return ERR_NONE;
    }
    TRY(client_event(s->hs, s->a, ev, &view, out));
    if (s->filter->event_fields != NULL) {
        *out = event_fields_pick(s->a, s->filter->event_fields, *out);
    }
    return ERR_NONE;
}

enum err sync_open(struct sync *s, struct hs *hs, const struct req *req, int64_t since,
                   const struct sync_filter *filter)
{
    struct json *list;
    *s = (struct sync){.hs = hs,
                       .a = hs->turn,
                       .user = req->user,
                       .user_id = req->user_id,
                       .device_id = req->device_id,
                       .since = since,
                       .upto = store_position(hs->store),
                       .filter = filter,
                       .bytes_left = SYNC_BYTES_MAX,
                       .stripped_left = SYNC_STRIPPED_BYTES_MAX};
    s->out = json_object(s->a);
    map_init_in(&s->met, s->a);
    map_init_in(&s->parted, s->a);
    TRY(account_data_get(hs, s->a, s->user, 0, STR("m.ignored_user_list"), &list));
    s->ignored = json_get_object(list, "ignored_users");
    return ERR_NONE;
}

/* One look at everything. *out is an answer; *news: it has something in it. */
static enum err evaluate(struct hs *hs, const struct req *req, struct json **out, bool *news)
{
    const struct ask *ask = req->ctx;
    struct sync s;
    TRY(sync_open(&s, hs, req, ask->since, &ask->filter));
    s.is_initial = ask->is_initial;
    s.full_state = ask->full_state;
    s.state_after = ask->state_after;
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        enum err (*fill)(struct sync *) = s.is_initial ? streams[i].initial : streams[i].changed;
        if (fill != NULL) {
            TRY(fill(&s));
        }
    }
    json_put_text(s.out, "next_batch", token_write(hs, s.a, s.upto));
    *out = s.out;
    *news = s.has_news;
    return ERR_NONE;
}

enum err sync_is_logged_in(struct hs *hs, struct req *req, bool *ok)
{
    int64_t user;
    TRY(store_get_int(hs->store, &user, 0, STMT_TOKEN_GET, "b", req->token_hash));
    *ok = user != 0;
    return *ok ? ERR_NONE : reply_error(req, 401, "M_UNKNOWN_TOKEN", "this device was logged out");
}

enum err sync_wait(struct hs *hs, struct req *req, resume_fn resume, int64_t timeout_ms)
{
    timeout_ms = timeout_ms < SYNC_TIMEOUT_MAX_MS ? timeout_ms : SYNC_TIMEOUT_MAX_MS;
    parked_crowd(hs->parked, req->user, SYNC_WAITING_MAX, hs->now.mono_ms);
    return req_park(req, resume, hs->now.mono_ms + timeout_ms, true);
}

static enum err resume(struct hs *hs, struct req *req, bool is_time_up)
{
    struct json *out;
    bool ok;
    bool news;
    TRY(sync_is_logged_in(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(evaluate(hs, req, &out, &news));
    return news || is_time_up ? reply_json(req, out) : ERR_NONE;
}

/* An id of a stored filter, or the filter itself. False: refused. */
static enum err read_filter(struct hs *hs, struct req *req, struct ask *ask, bool *ok)
{
    struct str given = req_query(req, "filter");
    struct str text = given;
    struct json *tree = NULL;
    const char *why = NULL;
    int64_t id;
    *ok = false;
    if (!str_is_empty(given) && given.p[0] != '{') {
        if (!str_to_i64(given, &id)) {
            return reply_error(req, 400, "M_INVALID_PARAM", "this is not the id of a filter");
        }
        TRY(store_get_str(hs->store, req->a, &text, STMT_FILTER_GET, "ii", id, req->user));
        if (text.p == NULL) {
            return reply_error(req, 400, "M_INVALID_PARAM", "you have no filter of this id");
        }
    }
    if (!str_is_empty(text) && json_parse(req->a, text, &tree, &why) != ERR_NONE) {
        return reply_error(req, 400, "M_NOT_JSON", "filter: %s", why == NULL ? "" : why);
    }
    if (sync_filter_parse(tree, &ask->filter, &why) != ERR_NONE) {
        return reply_error(req, 400, "M_BAD_JSON", "filter: %s", why);
    }
    *ok = true;
    return ERR_NONE;
}

static bool is_true(struct req *req, const char *key)
{
    return str_eq(req_query(req, key), STR("true"));
}

static enum err sync_get(struct hs *hs, struct req *req)
{
    struct ask *ask = ARENA_NEW(req->a, struct ask);
    struct str presence = req_query(req, "set_presence");
    int64_t timeout_ms = req_query_int(req, "timeout", 0);
    struct json *out;
    bool news;
    bool ok;
    req->ctx = ask;
    if (timeout_ms < 0 || (presence.p != NULL && !presence_is_word(presence))) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "timeout or set_presence is not what it may be");
    }
    TRY(read_filter(hs, req, ask, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    ask->is_initial = !token_parse(hs, req_query(req, "since"), &ask->since);
    ask->since = ask->is_initial ? 0 : ask->since;
    ask->full_state = is_true(req, "full_state");
    ask->state_after = is_true(req, "use_state_after");
    TRY(ask->is_initial ? ERR_NONE : to_device_taken(hs, req, ask->since));
    TRY(presence_seen(hs, req->user, req->user_id, presence));
    TRY(evaluate(hs, req, &out, &news));
    if (news || ask->is_initial || ask->full_state || timeout_ms == 0) {
        return reply_json(req, out);
    }
    return sync_wait(hs, req, resume, timeout_ms);
}

/* --- stored filters ----------------------------------------------------------------------- */

static enum err is_self(struct req *req, bool *self)
{
    *self = str_eq(req->params[0], req->user_id);
    return *self ? ERR_NONE : reply_forbidden(req, "the filters of others are their own");
}

/* The same filter gets the same id. */
static enum err filter_post(struct hs *hs, struct req *req)
{
    struct sync_filter parsed;
    const char *why;
    bool self;
    int64_t id;
    TRY(is_self(req, &self));
    if (!self) {
        return ERR_NONE;
    }
    if (sync_filter_parse(req->body, &parsed, &why) != ERR_NONE) {
        return reply_error(req, 400, "M_BAD_JSON", "%s", why);
    }
    struct str text = json_str(req->a, req->body);
    if (text.n > FILTER_SIZE_MAX) {
        return reply_error(req, 413, "M_TOO_LARGE", "a filter has at most %d bytes",
                           FILTER_SIZE_MAX);
    }
    TRY(store_get_int(hs->store, &id, 0, STMT_FILTER_FIND, "it", req->user, text));
    if (id == 0) {
        TRY(store_run(hs->store, STMT_FILTER_PUT, "it", req->user, text));
        id = store_last_id(hs->store);
        TRY(store_run(hs->store, STMT_FILTER_FORGET, "ii", req->user, (int64_t)FILTERS_MAX));
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "filter_id", arena_fmt(req->a, "%lld", (long long)id));
    return reply_json(req, out);
}

static enum err filter_get(struct hs *hs, struct req *req)
{
    struct json *filter;
    struct str text = STR_ABSENT;
    bool self;
    int64_t id;
    TRY(is_self(req, &self));
    if (!self) {
        return ERR_NONE;
    }
    if (str_to_i64(req->params[1], &id)) {
        TRY(store_get_str(hs->store, req->a, &text, STMT_FILTER_GET, "ii", id, req->user));
    }
    if (text.p == NULL) {
        return reply_not_found(req, "you have no filter of this id");
    }
    return json_parse(req->a, text, &filter, NULL) == ERR_NONE ? reply_json(req, filter)
                                                               : ERR_CORRUPT;
}

/* clang-format off */
const struct route sync_routes[] = {
    {HTTP_GET,   "/client/v3/sync",                            WHO_GUEST,  RATE_OTHER,   sync_get,            NULL},
    {HTTP_GET,   "/client/v3/keys/changes",                    WHO_USER,   RATE_OTHER,   keys_changes_get,    NULL},
    {HTTP_GET,   "/client/v3/events",                          WHO_GUEST,  RATE_OTHER,   events_get,          NULL},
    {HTTP_GET,   "/client/v3/notifications",                   WHO_USER,   RATE_OTHER,   notifications_get,   NULL},
    {HTTP_POST,  "/client/v3/user/{}/filter",                  WHO_GUEST,  RATE_OTHER,   filter_post,         NULL},
    {HTTP_GET,   "/client/v3/user/{}/filter/{}",               WHO_GUEST,  RATE_OTHER,   filter_get,          NULL},
    {0, NULL, WHO_USER, RATE_OTHER, NULL, NULL},
};
/* clang-format on */
