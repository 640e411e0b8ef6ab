/* Events from other servers. */
#include "fed/incoming.h"

#include "base/map.h"
#include "engine/current.h"
#include "engine/server_keys.h"
#include "event/mxid.h"
#include "fed/missing.h"
#include "fed/stripped.h"

enum err incoming_parse(struct hs *hs, struct arena *a, const struct room *room, struct json *pdu,
                        struct event **ev, const char **why)
{
    (void)hs;
    *ev = NULL;
    enum err err = event_parse(a, room->version, pdu, ev, why);
    if (err == ERR_SYNTAX || err == ERR_LIMIT) {
        *ev = NULL;
        return ERR_NONE;
    }
    TRY(err);
    if (!str_eq((*ev)->room_id, room->id)) {
        *ev = NULL;
        *why = "its room is another one";
    }
    return ERR_NONE;
}

/* --- rooms that we are not in -------------------------------------------------------------------
 */

/* May the server take back the invite or refuse the knock of our user? Who invited him may, and who
 * was named in what came with his knock. */
static enum err is_believed(struct hs *hs, const struct room *room, struct str user_id,
                            struct str server, bool *is)
{
    struct query q;
    struct json *stripped = NULL;
    int64_t user;
    *is = false;
    TRY(store_name_find(hs->store, user_id, &user));
    enum err err = query_one(&q, hs->store, STMT_MEMBER_GET, "ii", user, room->nid);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    struct str membership = query_str(&q, hs->turn, 0);
    struct str text = query_str(&q, hs->turn, 4);
    TRY(query_end(&q));
    bool is_knock = str_eq(membership, STR("knock"));
    if (!is_knock && !str_eq(membership, STR("invite"))) {
        return ERR_NONE;
    }
    if (text.p == NULL || json_parse(hs->turn, text, &stripped, NULL) != ERR_NONE) {
        return ERR_NONE;
    }
    for (const struct json *e = json_first(stripped); e != NULL && !*is; e = json_next(e)) {
        bool is_own = str_eq(json_get_text(e, "type"), STR("m.room.member")) &&
                      str_eq(json_get_text(e, "state_key"), user_id);
        *is = is_own != is_knock && str_eq(mxid_server(json_get_text(e, "sender")), server);
    }
    return ERR_NONE;
}

static bool is_signed_by_sender(struct hs *hs, const struct event *ev)
{
    return server_keys_check(hs, hs->turn, ev, mxid_server(ev->sender)) == ERR_NONE;
}

/* The kick or ban of a user of ours who was invited or knocked: nothing here can check what it
 * cites.
 */
static enum err take_back(struct hs *hs, struct room *room, const struct event *ev,
                          const char **fault)
{
    bool is;
    struct str membership = event_membership(ev);
    *fault = "we are not in that room";
    if (!str_eq(ev->type, STR("m.room.member")) || !hs_is_ours(hs, ev->state_key) ||
        !(str_eq(membership, STR("leave")) || str_eq(membership, STR("ban")))) {
        return ERR_NONE;
    }
    TRY(is_believed(hs, room, ev->state_key, mxid_server(ev->sender), &is));
    if (!is || !is_signed_by_sender(hs, ev)) {
        return ERR_NONE;
    }
    *fault = NULL;
    return current_put_outside(hs, room, ev->state_key, membership, 0,
                               stripped_end(hs, hs->turn, ev->state_key, ev));
}

static enum err outside(struct hs *hs, struct str origin, struct room *room, struct json *pdu,
                        struct str *event_id, const char **fault)
{
    struct event *ev;
    TRY(incoming_parse(hs, hs->turn, room, pdu, &ev, fault));
    if (ev == NULL) {
        return ERR_NONE;
    }
    *event_id = ev->id;
    *fault = NULL;
    return missing_is_held(hs, room) ? missing_keep(hs, origin, room, ev)
                                     : take_back(hs, room, ev, fault);
}

enum err incoming_pdu(struct hs *hs, struct str origin, struct json *pdu, struct str *event_id,
                      const char **fault)
{
    struct room *room;
    struct event *ev;
    struct verdict verdict;
    bool is_joined = false;
    bool is_allowed;
    *event_id = STR_ABSENT;
    *fault = NULL;
    enum err err = room_find(hs, json_get_text(pdu, "room_id"), &room);
    if (err == ERR_ABSENT) {
        *fault = "we are not in that room";
        return ERR_NONE;
    }
    TRY(err);
    TRY(current_is_joined(hs, room->nid, &is_joined));
    if (!is_joined) {
        return outside(hs, origin, room, pdu, event_id, fault);
    }
    TRY(incoming_parse(hs, hs->turn, room, pdu, &ev, fault));
    if (ev == NULL) {
        return ERR_NONE;
    }
    *event_id = ev->id;
    TRY(current_allows_server(hs, room, origin, &is_allowed));
    *fault = is_allowed ? NULL : "the room's access control list keeps your server out";
    if (!is_allowed) {
        return ERR_NONE;
    }
    TRY(door_admit(hs, room, ev, ARRIVAL_NEW, DOOR_STATE_FROM_PREV, &verdict));
    if (verdict.kind == VERDICT_MISSING) {
        return missing_fetch(hs, origin, room, ev);
    }
    if (verdict.kind == VERDICT_DROP) { /* one that is rejected has been handled, and is kept so */
        *fault = verdict.why;
    }
    return ERR_NONE;
}

enum err incoming_in_order(struct hs *hs, struct str origin, struct room *room,
                           const struct json *events, struct arena *a)
{
    struct event *sorted[MISSING_EVENTS_MAX * 2];
    size_t n = 0;
    for (const struct json *e = json_first(events); e != NULL; e = json_next(e)) {
        struct event *ev;
        const char *why;
        TRY(incoming_parse(hs, a, room, json_copy(a, e), &ev, &why));
        if (ev == NULL || n == COUNT_OF(sorted)) {
            continue;
        }
        size_t k = n;
        while (k > 0 && sorted[k - 1]->depth > ev->depth) {
            sorted[k] = sorted[k - 1];
            k--;
        }
        sorted[k] = ev;
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        struct verdict verdict;
        TRY(door_admit(hs, room, sorted[i], ARRIVAL_NEW, DOOR_STATE_FROM_PREV, &verdict));
        if (verdict.kind == VERDICT_MISSING) {
            TRY(missing_fetch(hs, origin, room, sorted[i]));
        }
    }
    return ERR_NONE;
}

/* --- events that come as a set ---------------------------------------------------------------- */

struct walk {
    struct hs *hs;
    struct room *room;
    struct arena *a;
    struct map by_id;
    struct event **order; /* parents first */
    size_t n;
};

struct frame {
    struct event *ev;
    size_t next; /* auth event to look at */
};

/* Depth first with a stack of our own: a foreign chain may be as long as it likes. */
static void sort_from(struct walk *w, struct event *first, struct frame *stack)
{
    size_t depth = 1;
    stack[0] = (struct frame){first, 0};
    (void)map_remove(&w->by_id, first->id);
    while (depth > 0) {
        struct frame *top = &stack[depth - 1];
        if (top->next == top->ev->auth_events.n) {
            w->order[w->n] = top->ev;
            w->n++;
            depth--;
            continue;
        }
        struct event *parent = map_remove(&w->by_id, top->ev->auth_events.at[top->next]);
        top->next++;
        if (parent != NULL) {
            stack[depth] = (struct frame){parent, 0};
            depth++;
        }
    }
}

/* Those events of the set that make a room, or the others. Where the room's id stands for its
 * making, no event names that one as its parent, though all stand on it. */
static void sort_set(struct walk *w, struct event *const *all, size_t n, bool makes_room)
{
    struct frame *stack = arena_array(w->a, n + 1, sizeof(*stack));
    for (size_t i = 0; i < n; i++) {
        if (str_eq(all[i]->type, STR("m.room.create")) == makes_room &&
            map_get(&w->by_id, all[i]->id) != NULL) {
            sort_from(w, all[i], stack);
        }
    }
}

enum err incoming_outliers(struct hs *hs, struct room *room, const struct json *pdus,
                           struct arena *a)
{
    size_t count = json_count(pdus);
    struct walk w = {.hs = hs, .room = room, .a = a};
    struct event **all = arena_array(a, count + 1, sizeof(struct event *));
    size_t n_all = 0;
    if (count > JOIN_EVENTS_MAX) {
        return ERR_LIMIT;
    }
    w.order = arena_array(a, count + 1, sizeof(struct event *));
    map_init_in(&w.by_id, a);
    for (const struct json *p = json_first(pdus); p != NULL; p = json_next(p)) {
        const char *why;
        struct event *ev;
        TRY(incoming_parse(hs, a, room, json_copy(a, p), &ev, &why));
        if (ev != NULL && map_get(&w.by_id, ev->id) == NULL) {
            map_put(&w.by_id, ev->id, ev);
            all[n_all] = ev;
            n_all++;
        }
    }
    sort_set(&w, all, n_all, true);
    sort_set(&w, all, n_all, false);
    for (size_t i = 0; i < w.n; i++) {
        struct verdict verdict;
        TRY(door_admit(hs, room, w.order[i], ARRIVAL_OUTLIER, DOOR_STATE_FROM_PREV, &verdict));
    }
    return ERR_NONE;
}
