/* Pages of a timeline. */
#include "client/page.h"

#include "base/map.h"
#include "engine/gap.h"
#include "engine/snapshot.h"
#include "engine/visible.h"

enum { ROWS_MAX = 512 };

struct rows {
    bool at_gap;
    int64_t nid[ROWS_MAX], position[ROWS_MAX];
    size_t n;
};

static enum err read_rows(struct hs *hs, const struct access *access, int64_t from, bool backwards,
                          size_t limit, struct rows *out)
{
    struct query q;
    struct gap gap = {.position = INT64_MIN};
    int64_t newest = from < access->position ? from : access->position;
    *out = (struct rows){0};
    if (backwards && access->is_joined && newest < INT64_MAX) { /* the gap may be right above */
        enum err err = gap_find(hs, access->room->nid, newest + 1, &gap);
        out->at_gap = err == ERR_NONE;
        TRY(err == ERR_ABSENT ? ERR_NONE : err);
    }
    query_start(&q, hs->store, backwards ? STMT_TIMELINE_BACK : STMT_TIMELINE_FORWARD, "iii",
                access->room->nid, backwards ? newest : from, (int64_t)limit);
    while (out->n < limit && query_next(&q)) {
        if (out->at_gap && query_int(&q, 1) < gap.position) {
            break;
        }
        if (backwards || query_int(&q, 1) <= access->position) {
            out->nid[out->n] = query_int(&q, 0);
            out->position[out->n] = query_int(&q, 1);
            out->n++;
        }
    }
    out->at_gap = out->at_gap && out->n < limit;
    return query_end(&q);
}

static enum err push_event(struct hs *hs, struct req *req, const struct stored *s, struct json *out)
{
    struct client_view view = {.user = req->user, .device_id = req->device_id};
    struct json *shown;
    TRY(client_event(hs, req->a, s, &view, &shown));
    json_push(out, shown);
    return ERR_NONE;
}

enum err page_read(struct hs *hs, struct req *req, const struct access *access, int64_t from,
                   bool backwards, size_t limit, const struct event_filter *filter,
                   struct page *out)
{
    struct rows *rows = ARENA_NEW(req->a, struct rows);
    limit = limit > ROWS_MAX ? ROWS_MAX : limit;
    *out = (struct page){.chunk = json_array(req->a), .start = from, .end = from};
    TRY(read_rows(hs, access, from, backwards, limit, rows));
    for (size_t i = 0; i < rows->n; i++) {
        struct stored *s;
        bool visible;
        TRY(event_get(hs, rows->nid[i], &s));
        TRY(visible_to_user(hs, s, req->user, req->user_id, &visible));
        out->end = backwards ? rows->position[i] - 1 : rows->position[i];
        if (visible && event_filter_allows_event(filter, s->ev)) {
            TRY(push_event(hs, req, s, out->chunk));
        }
    }
    out->n_read = rows->n;
    out->at_gap = rows->at_gap;
    out->at_end = rows->n < limit && !rows->at_gap;
    return ERR_NONE;
}

enum err page_members(struct hs *hs, struct req *req, const struct access *access,
                      const struct json *chunk, struct json *out)
{
    struct map seen;
    map_init_in(&seen, req->a);
    for (const struct json *e = json_first(chunk); e != NULL; e = json_next(e)) {
        struct str sender = json_get_text(e, "sender");
        int64_t nid = 0;
        struct stored *s;
        if (map_get(&seen, sender) != NULL) {
            continue;
        }
        map_put(&seen, sender, req);
        TRY(snapshot_get(hs, access->snapshot, STR("m.room.member"), sender, &nid));
        if (nid != 0) {
            TRY(event_get(hs, nid, &s));
            TRY(push_event(hs, req, s, out));
        }
    }
    return ERR_NONE;
}

enum err page_state(struct hs *hs, struct req *req, const struct access *access,
                    const struct page_state_ask *ask, struct json *out)
{
    struct state state;
    TRY(snapshot_load(hs, req->a, access->snapshot, &state));
    for (const struct state_entry *e = state_next(&state, NULL); e != NULL;
         e = state_next(&state, e)) {
        struct stored *s;
        bool is_member = str_eq(e->type, STR("m.room.member"));
        if (is_member ? ask->without_members : ask->only_members) {
            continue;
        }
        TRY(event_find(hs, e->event_id, &s));
        struct str word = is_member ? event_membership(s->ev) : STR_ABSENT;
        if ((ask->membership.p == NULL || str_eq(ask->membership, word)) &&
            (ask->not_membership.p == NULL || !str_eq(ask->not_membership, word))) {
            TRY(push_event(hs, req, s, out));
        }
    }
    return ERR_NONE;
}
