/* State told by others. */
#include "fed/state_take.h"

#include "engine/snapshot.h"
#include "event/seal.h"
#include "fed/incoming.h"

/* Auth chain and state in one list, so that parents come first whichever list they are in. */
static struct json *together(struct arena *a, const struct json *chain, const struct json *state)
{
    struct json *all = json_array(a);
    for (const struct json *e = json_first(chain); e != NULL; e = json_next(e)) {
        json_push(all, json_copy(a, e));
    }
    for (const struct json *e = json_first(state); e != NULL; e = json_next(e)) {
        json_push(all, json_copy(a, e));
    }
    return all;
}

enum err state_take(struct hs *hs, struct room *room, const struct json *body, struct arena *a,
                    int64_t *snapshot)
{
    const struct json *state = json_get_array(body, "state");
    struct state taken;
    state = state == NULL ? json_get_array(body, "pdus") : state;
    *snapshot = 0;
    TRY(incoming_outliers(hs, room, together(a, json_get_array(body, "auth_chain"), state), a));
    state_init(&taken, a);
    for (const struct json *e = json_first(state); e != NULL; e = json_next(e)) {
        struct str id;
        struct stored *s;
        if (seal_event_id(a, room->version, e, &id) != ERR_NONE) {
            continue;
        }
        enum err err = event_find(hs, id, &s);
        if (err == ERR_ABSENT) {
            continue;
        }
        TRY(err);
        if (s->status == EVENT_ACCEPTED && s->room == room->nid && event_is_state(s->ev)) {
            state_put_copy(&taken, s->ev->type, s->ev->state_key, s->ev->id);
        }
    }
    if (str_is_absent(state_get(&taken, STR("m.room.create"), STR("")))) {
        return ERR_NONE;
    }
    return snapshot_of(hs, 0, &taken, snapshot);
}
