/* Reading rooms. */
#include "client/history.h"

#include "client/page.h"
#include "engine/current.h"
#include "engine/remote.h"
#include "engine/snapshot.h"
#include "engine/token.h"
#include "engine/visible.h"
#include "room/visibility.h"

enum { MESSAGES_DEFAULT = 10 };

static size_t limit_of(struct req *req, int64_t fallback)
{
    int64_t limit = req_query_int(req, "limit", fallback);
    return limit < 1 ? 1 : (limit > MESSAGES_MAX ? MESSAGES_MAX : (size_t)limit);
}

static enum err filter_of(struct req *req, struct event_filter *filter)
{
    struct str text = req_query(req, "filter");
    struct json *json = NULL;
    const char *why = "not JSON";
    if (text.n > 0 && text.p[0] == '{' && json_parse(req->a, text, &json, NULL) != ERR_NONE) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'filter' is not JSON");
    }
    if (event_filter_parse(json, filter, &why) != ERR_NONE) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'filter' is wrong at '%s'", why);
    }
    return ERR_NONE;
}

/* What was asked, kept while history is fetched. */
struct paging {
    struct access access;
    int64_t from;
    bool backwards;
    size_t limit;
    struct event_filter filter;
};

static enum err reply_page(struct hs *hs, struct req *req, const struct paging *p,
                           const struct page *page)
{
    struct json *out = json_object(req->a);
    json_put_text(out, "start", token_write(hs, req->a, page->start));
    if (page->n_read > 0 || !page->at_end || (!p->backwards && p->access.is_joined)) {
        json_put_text(out, "end", token_write(hs, req->a, page->end));
    }
    if (p->filter.lazy_load_members) {
        struct json *state = json_put_array(out, STR("state"));
        TRY(page_members(hs, req, &p->access, page->chunk, state));
    }
    json_put(out, STR("chunk"), page->chunk);
    return reply_json(req, out);
}

static enum err read_again(struct hs *hs, struct req *req, bool is_time_up)
{
    struct paging *p = req->ctx;
    struct page page;
    (void)is_time_up;
    TRY(room_get(hs, p->access.room->nid, &p->access.room));
    TRY(page_read(hs, req, &p->access, p->from, p->backwards, p->limit, &p->filter, &page));
    if (page.at_gap && page.n_read == 0) { /* nobody has what belongs there: go on behind it */
        struct access over = p->access;
        over.is_joined = false;
        TRY(page_read(hs, req, &over, p->from, p->backwards, p->limit, &p->filter, &page));
    }
    return reply_page(hs, req, p, &page);
}

enum err messages_get(struct hs *hs, struct req *req)
{
    struct paging *p = ARENA_NEW(req->a, struct paging);
    struct page page;
    bool ok;
    bool asked = false;
    struct str dir = req_query(req, "dir");
    struct str from = req_query(req, "from");
    TRY(access_read(hs, req, &p->access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    p->backwards = str_eq(dir, STR("b"));
    if (!p->backwards && !str_eq(dir, STR("f"))) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'dir' is b or f");
    }
    p->from = p->backwards ? p->access.position : INT64_MIN;
    if (from.n > 0 && !token_parse(hs, from, &p->from)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'from' is no token of this homeserver");
    }
    TRY(filter_of(req, &p->filter));
    if (req->reply.status != 0) {
        return ERR_NONE;
    }
    p->limit = limit_of(req, MESSAGES_DEFAULT);
    TRY(page_read(hs, req, &p->access, p->from, p->backwards, p->limit, &p->filter, &page));
    if (page.at_gap) {
        req->ctx = p;
        struct room *copy = ARENA_NEW(req->a, struct room);
        *copy = *p->access.room; /* the cache may be emptied while we wait */
        p->access.room = copy;
        struct backfill_ask ask = {copy, p->from < INT64_MAX ? p->from + 1 : p->from, p->limit,
                                   read_again};
        TRY(hs->remote->backfill(hs, req, &ask, &asked));
        return asked ? ERR_NONE : read_again(hs, req, false);
    }
    return reply_page(hs, req, p, &page);
}

enum err event_one_get(struct hs *hs, struct req *req)
{
    struct access access;
    struct stored *s;
    struct json *out;
    struct client_view view = {.user = req->user, .device_id = req->device_id};
    TRY(access_event(hs, req, &access, &s));
    if (s == NULL) { /* the specification has one answer for both */
        return reply_not_found(req, "there is no such event, or you may not see it");
    }
    TRY(client_event(hs, req->a, s, &view, &out));
    return reply_json(req, out);
}

enum err context_get(struct hs *hs, struct req *req)
{
    struct access access;
    struct stored *s;
    struct page before;
    struct page after;
    struct event_filter filter;
    struct json *shown;
    struct client_view view = {.user = req->user, .device_id = req->device_id};
    size_t limit = limit_of(req, MESSAGES_DEFAULT);
    TRY(filter_of(req, &filter));
    if (req->reply.status != 0) {
        return ERR_NONE;
    }
    TRY(access_event(hs, req, &access, &s));
    if (s == NULL) {
        return ERR_NONE;
    }
    TRY(page_read(hs, req, &access, s->position - 1, true, limit / 2, &filter, &before));
    TRY(page_read(hs, req, &access, s->position, false, limit - limit / 2, &filter, &after));
    TRY(client_event(hs, req->a, s, &view, &shown));
    struct json *out = json_object(req->a);
    json_put_text(out, "start", token_write(hs, req->a, before.end));
    json_put_text(out, "end", token_write(hs, req->a, after.end));
    struct json *senders = json_array(req->a);
    json_push(senders, json_copy(req->a, shown));
    for (const struct json *e = json_first(before.chunk); e != NULL; e = json_next(e)) {
        json_push(senders, json_copy(req->a, e));
    }
    for (const struct json *e = json_first(after.chunk); e != NULL; e = json_next(e)) {
        json_push(senders, json_copy(req->a, e));
    }
    struct page_state_ask ask = {.without_members = filter.lazy_load_members};
    struct json *state = json_put_array(out, STR("state"));
    TRY(page_state(hs, req, &access, &ask, state));
    if (filter.lazy_load_members) {
        TRY(page_members(hs, req, &access, senders, state));
    }
    json_put(out, STR("event"), shown);
    json_put(out, STR("events_before"), before.chunk);
    json_put(out, STR("events_after"), after.chunk);
    return reply_json(req, out);
}

/* Whether the user may read the state at a snapshot that is not today's. */
static enum err may_read(struct hs *hs, struct req *req, int64_t snapshot, bool *may)
{
    int64_t member;
    int64_t setting;
    struct stored *s = NULL;
    TRY(snapshot_get(hs, snapshot, STR("m.room.member"), req->user_id, &member));
    if (member != 0) {
        TRY(event_get(hs, member, &s));
    }
    *may = s != NULL && str_eq(event_membership(s->ev), STR("join"));
    if (*may) {
        return ERR_NONE;
    }
    s = NULL;
    TRY(snapshot_get(hs, snapshot, STR("m.room.history_visibility"), STR(""), &setting));
    if (setting != 0) {
        TRY(event_get(hs, setting, &s));
    }
    enum visibility visibility = visibility_parse(s == NULL ? NULL : s->ev->content);
    *may = visibility == VISIBILITY_SHARED || visibility == VISIBILITY_WORLD_READABLE;
    return ERR_NONE;
}

/* With `at`: the room as it was at that token, if the user may see it; snapshot 0: nobody was here.
 */
static enum err read_at(struct hs *hs, struct req *req, struct access *access, bool *ok)
{
    struct str at = req_query(req, "at");
    int64_t position;
    int64_t snapshot;
    *ok = at.n == 0 || token_parse(hs, at, &position);
    if (!*ok) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'at' is no token of this homeserver");
    }
    if (at.n > 0 && position < access->position) {
        TRY(store_get_int(hs->store, &snapshot, 0, STMT_STATE_AT, "ii", access->room->nid,
                          position));
        access->snapshot = snapshot;
        TRY(may_read(hs, req, snapshot, ok));
    }
    return *ok ? ERR_NONE : reply_forbidden(req, "you may not see who was in that room then");
}

enum err members_get(struct hs *hs, struct req *req)
{
    struct access access;
    bool ok;
    struct page_state_ask ask = {.only_members = true,
                                 .membership = req_query(req, "membership"),
                                 .not_membership = req_query(req, "not_membership")};
    TRY(access_read(hs, req, &access, &ok));
    if (ok) {
        TRY(read_at(hs, req, &access, &ok));
    }
    if (!ok) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    TRY(page_state(hs, req, &access, &ask, json_put_array(out, STR("chunk"))));
    return reply_json(req, out);
}

enum err joined_members_get(struct hs *hs, struct req *req)
{
    struct room *room;
    struct query q;
    bool ok;
    TRY(access_joined(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    struct json *joined = json_put_object(out, STR("joined"));
    query_start(&q, hs->store, STMT_MEMBER_LIST, "it", room->nid, STR("join"));
    enum err err = ERR_NONE;
    while (err == ERR_NONE && query_next(&q)) {
        struct stored *s;
        struct str user_id = query_str(&q, req->a, 1);
        err = event_get(hs, query_int(&q, 2), &s);
        if (err == ERR_NONE) {
            struct json *member = json_put_object(joined, user_id);
            const struct json *shown = client_content(req->a, s);
            json_put_text(member, "display_name", json_get_text(shown, "displayname"));
            json_put_text(member, "avatar_url", json_get_text(shown, "avatar_url"));
        }
    }
    TRY(query_end(&q));
    TRY(err);
    return reply_json(req, out);
}
