/* Asking for one room at a time. */
#include "client/elsewhere.h"

#include "base/encode.h"
#include "base/map.h"
#include "engine/current.h"
#include "engine/remote.h"

enum { ROOMS_ASKED_MAX = 32, GIVE_UP_MS = 20000, VIA_MAX = 4 };

/* In the request's arena. */
struct elsewhere {
    struct map told; /* room id -> its JSON, or this itself: nobody tells */
    struct remote_ask ask;
    struct str asked_for; /* absent: nothing */
    size_t n_asked;
    int64_t started_ms;
};

struct strs elsewhere_via(struct arena *a, const struct json *names)
{
    struct str *at = arena_array(a, VIA_MAX, sizeof(*at));
    size_t n = 0;
    for (const struct json *x = json_first(names); x != NULL && n < VIA_MAX; x = json_next(x)) {
        at[n] = json_text(x);
        n += at[n].n > 0;
    }
    return (struct strs){at, n};
}

static struct elsewhere *elsewhere_of(const struct hs *hs, struct req *req)
{
    if (req->ctx == NULL) {
        struct elsewhere *e = ARENA_NEW(req->a, struct elsewhere);
        map_init_in(&e->told, req->a);
        e->started_ms = hs->now.mono_ms;
        req->ctx = e;
    }
    return req->ctx;
}

static void keep(struct elsewhere *e, struct str room_id, void *what)
{
    if (room_id.n > 0 && map_get(&e->told, room_id) == NULL) {
        map_put(&e->told, room_id, what);
    }
}

/* The answer: the room, and its children, of which those that are no spaces hold no more. */
static void take(struct elsewhere *e)
{
    struct json *room = json_get_object(e->ask.answer, "room");
    const struct json *children = json_get_array(e->ask.answer, "children");
    const struct json *closed = json_get_array(e->ask.answer, "inaccessible_children");
    bool is_it = str_eq(json_get_text(room, "room_id"), e->asked_for);
    keep(e, e->asked_for, is_it ? (void *)room : (void *)e);
    for (struct json *x = json_first(children); x != NULL; x = json_next(x)) {
        if (json_is(x, JSON_OBJECT) && !str_eq(json_get_text(x, "room_type"), STR("m.space"))) {
            json_remove(x, STR("children_state"));
            json_put_array(x, STR("children_state"));
            keep(e, json_get_text(x, "room_id"), x);
        }
    }
    for (const struct json *x = json_first(closed); x != NULL; x = json_next(x)) {
        keep(e, json_text(x), e);
    }
    e->asked_for = STR_ABSENT;
}

static enum err is_member(struct hs *hs, const struct req *req, struct str room_id,
                          const char *membership, bool *is)
{
    struct room *room;
    struct str now;
    *is = false;
    enum err err = room_find(hs, room_id, &room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(current_membership(hs, req->user, room->nid, req->a, &now, NULL));
    *is = str_eq(now, str_of(membership));
    return ERR_NONE;
}

/* The server told ours, whoever asks; which of its users may know, ours must say. */
static enum err is_open(struct hs *hs, const struct req *req, const struct json *room, bool *open)
{
    struct str rule = json_get_text(room, "join_rule");
    const struct json *allowed = json_get_array(room, "allowed_room_ids");
    *open = str_is_absent(rule) || str_eq(rule, STR("public")) || str_eq(rule, STR("knock")) ||
            str_eq(rule, STR("knock_restricted")) || json_get_bool(room, "world_readable", false);
    if (!*open) {
        TRY(is_member(hs, req, json_get_text(room, "room_id"), "invite", open));
    }
    for (const struct json *x = json_first(allowed); x != NULL && !*open; x = json_next(x)) {
        TRY(is_member(hs, req, json_text(x), "join", open));
    }
    return ERR_NONE;
}

static enum err ask(struct hs *hs, struct req *req, struct elsewhere *e, struct str room_id,
                    struct strs via, bool *asked)
{
    e->n_asked++;
    e->asked_for = arena_str(req->a, room_id);
    e->ask.servers = via;
    e->ask.path = arena_fmt(req->a, "/_matrix/federation/v1/hierarchy/%.*s",
                            STR_ARG(percent_write(req->a, room_id)));
    TRY(hs->remote->get(hs, req, &e->ask, asked));
    if (!*asked) {
        take(e);
    }
    return ERR_NONE;
}

enum err elsewhere_room(struct hs *hs, struct req *req, struct str room_id, struct strs via,
                        resume_fn resume, struct json **told, bool *asked)
{
    struct elsewhere *e = elsewhere_of(hs, req);
    bool open;
    *told = NULL;
    *asked = false;
    e->ask.resume = resume;
    if (!str_is_absent(e->asked_for)) {
        take(e);
    }
    void *found = map_get(&e->told, room_id);
    if (found == NULL && req->user != 0 && e->n_asked < ROOMS_ASKED_MAX &&
        hs->now.mono_ms - e->started_ms < GIVE_UP_MS) {
        return ask(hs, req, e, room_id, via, asked);
    }
    if (found == NULL || found == e) {
        return ERR_NONE;
    }
    TRY(is_open(hs, req, found, &open));
    *told = open ? found : NULL;
    return ERR_NONE;
}
