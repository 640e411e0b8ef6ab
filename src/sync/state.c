/* The state of a room up to the start of its timeline: all of it, or what changed since the token
 * and does not stand in the timeline. With lazy loading, memberships of senders only.
 *
 * As long as the events since the token form one chain, what changed is read off them. After a fork
 * or a gap the states at the token, at the start and at the end of the timeline are compared. */
#include "sync/stream.h"

#include "engine/current.h"
#include "engine/lazy_members.h"
#include "engine/snapshot.h"

struct pick {
    struct sync *s;
    struct sync_room *r;
    struct json *events;
    struct map shown; /* state events of the timeline, by id */
    struct map put;   /* what is in `events` */
    int64_t start;    /* snapshot before the timeline */
    bool lazy, redundant, members;
};

enum err sync_state_at(struct sync *s, const struct room *room, int64_t position, int64_t *snapshot)
{
    return store_get_int(s->hs->store, snapshot, 0, STMT_STATE_AT, "ii", room->nid, position);
}

static void note_device_owner(struct sync *s, const struct event *ev)
{
    struct str membership = event_membership(ev);
    if (str_eq(ev->state_key, s->user_id)) {
        return;
    }
    if (str_eq(membership, STR("join"))) {
        map_put(&s->met, ev->state_key, s);
    } else if (str_eq(membership, STR("leave")) || str_eq(membership, STR("ban"))) {
        map_put(&s->parted, ev->state_key, s);
    }
}

static enum err put(struct pick *p, const struct stored *ev)
{
    struct json *event;
    if (!event_filter_allows_event(&p->s->filter->state, ev->ev) ||
        !event_filter_allows_room(&p->s->filter->state, p->r->room->id) ||
        map_get(&p->put, ev->ev->id) != NULL) {
        return ERR_NONE;
    }
    TRY(sync_event(p->s, ev, &event));
    json_push(p->events, event);
    map_put(&p->put, ev->ev->id, event);
    return ERR_NONE;
}

static bool is_member(const struct event *ev)
{
    return str_eq(ev->type, STR("m.room.member"));
}

static enum err put_change(struct pick *p, const struct stored *ev)
{
    if (is_member(ev->ev)) {
        p->members = true;
        note_device_owner(p->s, ev->ev);
    }
    return put(p, ev);
}

/* What stood at this key before the timeline; *out NULL: nothing, or not known. */
static enum err get_start(struct pick *p, struct str type, struct str state_key,
                          struct stored **out)
{
    int64_t nid = 0;
    *out = NULL;
    if (p->start != 0) {
        TRY(snapshot_get(p->s->hs, p->start, type, state_key, &nid));
    }
    return nid == 0 ? ERR_NONE : event_get(p->s->hs, nid, out);
}

/* The current state of a room we are in, or all of it but memberships. */
static enum err list_current(struct pick *p, struct numbers *out)
{
    struct query q;
    int64_t member;
    struct store *store = p->s->hs->store;
    TRY(store_name(store, STR("m.room.member"), &member));
    if (p->lazy) {
        query_start(&q, store, STMT_CURRENT_OTHERS, "ii", p->r->room->nid, member);
    } else {
        query_start(&q, store, STMT_CURRENT_LIST, "i", p->r->room->nid);
    }
    while (query_next(&q)) {
        numbers_add(p->s->a, out, query_int(&q, 0));
    }
    return query_end(&q);
}

static enum err put_whole(struct pick *p)
{
    struct numbers nids = {0};
    TRY(list_current(p, &nids));
    for (size_t i = 0; i < nids.n; i++) {
        struct stored *ev;
        TRY(event_get(p->s->hs, nids.at[i], &ev));
        if (map_get(&p->shown, ev->ev->id) != NULL) {
            TRY(get_start(p, ev->ev->type, ev->ev->state_key, &ev));
        }
        if (ev != NULL) {
            TRY(put(p, ev));
        }
    }
    return ERR_NONE;
}

/* One chain from the token to the end: the changes are its state events. */
static bool is_chain(const struct sync_room *r, int64_t since)
{
    int64_t at = since;
    for (size_t i = 0; i < r->n_raw; i++) {
        if (r->raw[i]->before != at) {
            return false;
        }
        at = r->raw[i]->after;
    }
    return r->is_complete && at == r->end && at != 0;
}

static bool is_changed_later(const struct sync_room *r, size_t i)
{
    const struct event *ev = r->raw[i]->ev;
    for (size_t k = i + 1; k < r->n_raw; k++) {
        if (event_is(r->raw[k]->ev, ev->type, ev->state_key)) {
            return true;
        }
    }
    return false;
}

static enum err put_chain(struct pick *p)
{
    for (size_t i = 0; i < p->r->n_raw; i++) {
        const struct stored *ev = p->r->raw[i];
        if (event_is_state(ev->ev) && map_get(&p->shown, ev->ev->id) == NULL &&
            !is_changed_later(p->r, i)) {
            TRY(put_change(p, ev));
        }
    }
    return ERR_NONE;
}

static enum err put_difference(struct pick *p, int64_t since)
{
    struct state from;
    struct state start;
    struct state end;
    struct sync *s = p->s;
    TRY(snapshot_load(s->hs, s->a, since, &from));
    TRY(snapshot_load(s->hs, s->a, p->start, &start));
    TRY(snapshot_load(s->hs, s->a, p->r->end, &end));
    for (const struct state_entry *e = state_next(&end, NULL); e != NULL; e = state_next(&end, e)) {
        struct stored *ev;
        struct str id = e->event_id;
        if (map_get(&p->shown, id) != NULL) {
            id = state_get(&start, e->type, e->state_key);
        }
        if (id.p == NULL || str_eq(id, state_get(&from, e->type, e->state_key))) {
            continue;
        }
        TRY(event_find(s->hs, id, &ev));
        if (!p->lazy || !p->r->is_whole || !is_member(ev->ev)) {
            TRY(put_change(p, ev));
        }
    }
    return ERR_NONE;
}

static enum err put_member(struct pick *p, struct str user_id)
{
    struct stored *ev;
    TRY(get_start(p, STR("m.room.member"), user_id, &ev));
    if (ev == NULL && p->r->is_joined) {
        TRY(current_get(p->s->hs, p->r->room, STR("m.room.member"), user_id, &ev));
    }
    if (ev == NULL || map_get(&p->shown, ev->ev->id) != NULL) {
        return ERR_NONE;
    }
    struct lazy_member told = {p->s->user, p->s->device_id, ev->nid};
    bool is_new = p->r->is_whole || p->s->full_state || p->redundant;
    if (!is_new && lazy_members_has(p->s->hs, &told, p->s->since)) {
        return ERR_NONE;
    }
    lazy_members_put(p->s->hs, &told, p->s->upto);
    return put(p, ev);
}

/* Lazy loading: whoever is seen, and oneself and the heroes of a room told whole. */
static enum err put_seen(struct pick *p)
{
    struct strs heroes;
    for (size_t i = 0; i < p->r->n_shown; i++) {
        TRY(put_member(p, p->r->shown[i]->ev->sender));
    }
    if (!p->r->is_whole && !p->s->full_state) {
        return ERR_NONE;
    }
    TRY(put_member(p, p->s->user_id));
    TRY(summary_heroes(p->s, p->r, &heroes));
    for (size_t i = 0; i < heroes.n; i++) {
        TRY(put_member(p, heroes.at[i]));
    }
    return ERR_NONE;
}

static enum err put_all(struct pick *p)
{
    struct sync_room *r = p->r;
    int64_t since = 0;
    if (r->is_joined && (r->is_whole || p->s->full_state)) {
        return put_whole(p);
    }
    if (r->n_raw == 0 && r->is_complete && !r->is_whole) {
        return ERR_NONE;
    }
    if (!r->is_whole) {
        TRY(sync_state_at(p->s, r->room, r->since, &since));
    }
    return is_chain(r, since) ? put_chain(p) : put_difference(p, since);
}

static void note_shown(struct pick *p)
{
    for (size_t i = 0; i < p->r->n_raw; i++) {
        const struct event *ev = p->r->raw[i]->ev;
        if (event_is_state(ev) && is_member(ev)) {
            p->members = true;
            note_device_owner(p->s, ev);
        }
    }
    for (size_t i = 0; i < p->r->n_shown && !p->s->state_after; i++) {
        if (event_is_state(p->r->shown[i]->ev)) {
            map_put(&p->shown, p->r->shown[i]->ev->id, p->r->shown[i]);
        }
    }
}

enum err sync_state_put(struct sync *s, struct sync_room *r, bool *members)
{
    const char *key = s->state_after ? "state_after" : "state";
    struct pick p = {.s = s, .r = r, .lazy = s->filter->state.lazy_load_members};
    p.lazy = p.lazy || s->filter->timeline.lazy_load_members;
    p.redundant =
        s->filter->state.include_redundant_members || s->filter->timeline.include_redundant_members;
    p.start = r->n_raw > 0 && !s->state_after ? r->raw[0]->before : r->end;
    p.events = json_array(s->a);
    map_init_in(&p.shown, s->a);
    map_init_in(&p.put, s->a);
    note_shown(&p);
    TRY(put_all(&p));
    if (p.lazy) {
        TRY(put_seen(&p));
    }
    *members = p.members || r->is_whole;
    if (json_count(p.events) > 0 || r->is_whole || s->state_after) {
        struct json *part = json_put_object(r->json, str_of(key));
        json_put(part, STR("events"), p.events);
    }
    return ERR_NONE;
}
