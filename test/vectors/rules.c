/* Random rooms with forks: each decision by the rules alone, by the events cited and by the state
 * before; each merge by state resolution. */
#include "base/limits.h"
#include "base/map.h"
#include "event/seal.h"
#include "room/auth.h"
#include "room/resolve.h"
#include "vectors/vectors.h"

struct room {
    struct tally *tally;
    struct arena *a;
    const struct room_version *version;
    struct map events; /* id -> struct event */
    const struct event *create;
    struct state *states;
    size_t n_states;
};

struct sight {
    const struct room *room;
    const struct state *state;
};

static const struct event *sight_get(void *ctx, struct str type, struct str state_key)
{
    const struct sight *s = ctx;
    return map_get(&s->room->events, state_get(s->state, type, state_key));
}

static const struct event *source_get(void *ctx, struct str id, bool *rejected)
{
    const struct room *room = ctx;
    *rejected = false; /* refused events are not in these states */
    return map_get(&room->events, id);
}

/* Puts back what a mend says (see vectors.c). */
static void mend(const struct room *room, struct json *pdu, struct str id)
{
    struct json *content = json_get_object(pdu, "content");
    struct str hash = json_get_text(json_get_object(pdu, "hashes"), "sha256");
    const struct json *patch = json_get(room->tally->mends, hash);
    const struct json *before = json_copy(room->a, content);
    for (const struct json *part = json_first(patch); part != NULL; part = json_next(part)) {
        struct json *levels = json_get(content, json_key(part));
        for (const struct json *x = json_first(part); x != NULL; x = json_next(x)) {
            json_remove(levels, json_key(x));
            if (!json_is(x, JSON_NULL)) {
                json_put(levels, json_key(x), json_copy(room->a, x));
            }
        }
    }
    if (!json_eq(before, content)) {
        tally_check(room->tally, TALLY_MENDED, true, id, NULL);
    }
}

static struct event *parse(const struct room *room, const struct json *row)
{
    struct event *ev = NULL;
    const char *why = NULL;
    struct str id = json_get_text(row, "event_id");
    struct json *pdu = json_copy(room->a, json_get(row, STR("pdu")));
    mend(room, pdu, id);
    enum err err = event_parse(room->a, room->version, pdu, &ev, &why);
    tally_check(room->tally, TALLY_HASH, err == ERR_NONE && seal_hash_fits(room->a, ev), id, why);
    tally_check(room->tally, TALLY_ID, err == ERR_NONE && str_eq(ev->id, id), id, why);
    return ev;
}

static const struct state *state_at(const struct room *room, int64_t i)
{
    return i >= 0 && (size_t)i < room->n_states ? &room->states[i] : NULL;
}

static void read_room(struct room *room, const struct json *row)
{
    map_init_in(&room->events, room->a);
    const struct json *events = json_get_array(row, "events");
    for (const struct json *x = json_first(events); x != NULL; x = json_next(x)) {
        struct event *ev = parse(room, x);
        if (ev != NULL) {
            room->create = room->create == NULL ? ev : room->create;
            map_put(&room->events, ev->id, ev);
        }
    }
    const struct json *states = json_get_array(row, "states");
    room->states = arena_array(room->a, json_count(states), sizeof(*room->states));
    for (const struct json *x = json_first(states); x != NULL; x = json_next(x)) {
        struct state *s = &room->states[room->n_states];
        state_init(s, room->a);
        for (const struct json *y = json_first(x); y != NULL; y = json_next(y)) {
            const struct json *type = json_first(y);
            const struct json *key = json_next(type);
            state_put(s, json_text(type), json_text(key), json_text(json_next(key)));
        }
        room->n_states++;
    }
}

static struct verdict judge(const struct room *room, const struct event *ev,
                            const struct state *before)
{
    const struct event *events[EVENT_AUTH_MAX];
    struct sight sight = {room, before};
    struct auth_view view = {&sight, sight_get};
    struct auth_cited cited = {events, 0, room->create};
    for (size_t i = 0; i < ev->auth_events.n; i++) {
        events[i] = map_get(&room->events, ev->auth_events.at[i]);
        if (events[i] == NULL) {
            return verdict_reject("an auth event is not in the file");
        }
        cited.n++;
    }
    struct verdict v = auth_check_alone(room->a, ev, room->create, events, NULL, cited.n);
    if (v.kind == VERDICT_ACCEPT) {
        v = auth_check(room->a, ev, auth_view_cited(&cited));
    }
    return v.kind == VERDICT_ACCEPT ? auth_check(room->a, ev, view) : v;
}

static void check_decision(const struct room *room, const struct json *row)
{
    struct str id = json_get_text(row, "event_id");
    bool allowed = json_get_bool(row, "allowed", false);
    const struct state *before = state_at(room, json_get_int(row, "state_before", -1));
    const struct event *ev = map_get(&room->events, id);
    const char *why = "not in the file";
    bool same = false;
    if (json_get(row, STR("pdu")) != NULL) {
        ev = parse(room, row);
    }
    if (ev != NULL && before != NULL) {
        struct verdict v = judge(room, ev, before);
        same = (v.kind == VERDICT_ACCEPT) == allowed;
        why = v.why != NULL ? v.why : json_get_text(row, "why").p;
    }
    tally_check(room->tally, TALLY_DECISION, same, id, why);
}

static void check_merge(struct room *room, const struct json *row)
{
    const struct state *sets[STATE_SETS_MAX];
    struct resolve_source source = {room, source_get};
    struct state got;
    size_t n = 0;
    const struct json *list = json_get_array(row, "state_sets");
    struct str first = json_text(json_first(json_get_array(row, "prev_events")));
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        int64_t i = -1;
        (void)json_int(x, &i);
        sets[n] = state_at(room, i);
        n++;
    }
    const struct state *want = state_at(room, json_get_int(row, "resolved", -1));
    enum err err = resolve_state(room->a, room->version, sets, n, source, &got);
    bool same = err == ERR_NONE && want != NULL && state_eq(&got, want);
    tally_check(room->tally, TALLY_MERGE, same, first, err_name(err));
}

void check_rules(struct tally *t, struct arena *a, const struct json *file)
{
    const struct json *rooms = json_get_array(file, "rooms");
    (void)a;
    for (const struct json *x = json_first(rooms); x != NULL; x = json_next(x)) {
        struct room room = {.tally = t, .a = arena_new(), .version = room_version_find(t->version)};
        read_room(&room, x);
        const struct json *decisions = json_get_array(x, "decisions");
        for (const struct json *y = json_first(decisions); y != NULL; y = json_next(y)) {
            check_decision(&room, y);
        }
        const struct json *merges = json_get_array(x, "merges");
        for (const struct json *y = json_first(merges); y != NULL; y = json_next(y)) {
            check_merge(&room, y);
        }
        arena_free(room.a);
    }
}
