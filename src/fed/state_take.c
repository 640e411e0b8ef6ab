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

/* *is_here: the event is. It is of the state if it is one that may be. */
static enum err put(struct hs *hs, const struct room *room, struct str id, struct state *taken,
                    bool *is_here)
{
    struct stored *s;
    enum err err = event_find(hs, id, &s);
    *is_here = err == ERR_NONE;
    if (err == ERR_NONE && s->status == EVENT_ACCEPTED && s->room == room->nid &&
        event_is_state(s->ev)) {
        state_put_copy(taken, s->ev->type, s->ev->state_key, s->ev->id);
    }
    return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err finish(struct hs *hs, struct state *taken, int64_t *snapshot)
{
    return str_is_absent(state_get(taken, STR("m.room.create"), STR("")))
               ? ERR_NONE
               : snapshot_of(hs, 0, taken, snapshot);
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
        bool is_here;
        if (seal_event_id(a, room->version, e, &id) == ERR_NONE) {
            TRY(put(hs, room, id, &taken, &is_here));
        }
    }
    return finish(hs, &taken, snapshot);
}

enum err state_take_ids(struct hs *hs, const struct room *room, const struct json *body,
                        struct arena *a, int64_t *snapshot)
{
    struct state taken;
    bool is_here = true;
    *snapshot = 0;
    state_init(&taken, a);
    const struct json *id = json_first(json_get_array(body, "pdu_ids"));
    for (; id != NULL && is_here; id = json_next(id)) {
        is_here = json_is(id, JSON_TEXT);
        TRY(is_here ? put(hs, room, json_text(id), &taken, &is_here) : ERR_NONE);
    }
    return is_here ? finish(hs, &taken, snapshot) : ERR_NONE;
}
