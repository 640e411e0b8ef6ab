/* Children of spaces. */
#include "engine/space.h"

#include "engine/client_event.h"
#include "engine/current.h"
#include "engine/room_summary.h"
#include "event/mxid.h"

enum { ORDER_MAX = 50 };

/* 1 to 50 printable characters, else as if it were not given. */
static struct str order_of(const struct json *content)
{
    struct str order = json_get_text(content, "order");
    bool valid = order.n > 0 && order.n <= ORDER_MAX;
    for (size_t i = 0; valid && i < order.n; i++) {
        valid = order.p[i] >= ' ' && order.p[i] <= '~';
    }
    return valid ? order : STR_ABSENT;
}

static bool comes_before(const struct space_child *x, const struct space_child *y)
{
    if (str_is_absent(x->order) != str_is_absent(y->order)) {
        return !str_is_absent(x->order);
    }
    int by_order = str_is_absent(x->order) ? 0 : str_cmp(x->order, y->order);
    if (by_order != 0) {
        return by_order < 0;
    }
    if (x->s->ev->origin_server_ts != y->s->ev->origin_server_ts) {
        return x->s->ev->origin_server_ts < y->s->ev->origin_server_ts;
    }
    return str_cmp(x->room_id, y->room_id) < 0;
}

static void insert(struct space_child *list, size_t n, struct space_child child)
{
    for (; n > 0 && comes_before(&child, &list[n - 1]); n--) {
        list[n] = list[n - 1];
    }
    list[n] = child;
}

static bool is_valid(const struct stored *s, bool suggested_only)
{
    const struct json *content = s->ev->content;
    return s->redacted_by.p == NULL && mxid_is_room(s->ev->state_key) &&
           json_count(json_get_array(content, "via")) > 0 &&
           (!suggested_only || json_get_bool(content, "suggested", false));
}

static enum err list(struct hs *hs, const struct room *room, bool suggested_only,
                     struct space_children *out)
{
    struct query q;
    int64_t nids[HIERARCHY_CHILDREN_MAX];
    size_t found = 0;
    int64_t type;
    TRY(store_name_find(hs->store, STR("m.space.child"), &type));
    query_start(&q, hs->store, STMT_CURRENT_OF_TYPE, "ii", room->nid, type);
    while (found < HIERARCHY_CHILDREN_MAX && query_next(&q)) {
        nids[found] = query_int(&q, 0);
        found++;
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < found; i++) {
        struct stored *s;
        TRY(event_get(hs, nids[i], &s));
        if (is_valid(s, suggested_only)) {
            struct str order = order_of(s->ev->content);
            insert(out->at, out->n, (struct space_child){s->ev->state_key, order, s});
            out->n++;
        }
    }
    return ERR_NONE;
}

enum err space_children(struct hs *hs, struct arena *a, const struct room *room,
                        bool suggested_only, struct space_children **out)
{
    struct json *create;
    *out = ARENA_NEW(a, struct space_children);
    TRY(current_content(hs, room, STR("m.room.create"), STR(""), &create));
    return str_eq(json_get_text(create, "type"), STR("m.space"))
               ? list(hs, room, suggested_only, *out)
               : ERR_NONE;
}

enum err space_put(struct hs *hs, struct arena *a, const struct room *room,
                   const struct space_children *children, struct json *out)
{
    TRY(room_summary_put(hs, a, room, out));
    struct json *state = json_put_array(out, STR("children_state"));
    for (size_t i = 0; i < children->n; i++) {
        const struct event *ev = children->at[i].s->ev;
        struct json *child = client_event_strip(a, ev);
        json_put_int(child, "origin_server_ts", ev->origin_server_ts);
        json_push(state, child);
    }
    return ERR_NONE;
}
