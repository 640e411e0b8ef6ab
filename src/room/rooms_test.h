/* A small room for the tests of room/: events made of a few words, with ids of one's own choice,
 * and a state that is a view. */
#ifndef ROOM_ROOMS_TEST_H
#define ROOM_ROOMS_TEST_H

#include "base/map.h"
#include "event/event.h"
#include "room/auth.h"
#include "room/state.h"

struct test_room {
    struct arena *a;
    const struct room_version *version;
    struct map events; /* id -> struct event */
    struct state state;
    int64_t depth;
};

static inline void test_room_init(struct test_room *room, const char *version)
{
    *room = (struct test_room){.a = arena_new(), .version = room_version_find(str_of(version))};
    map_init_in(&room->events, room->a);
    state_init(&room->state, room->a);
}

/* auth: ids with spaces between. state_key NULL: a message. */
static inline const struct event *test_event(struct test_room *room, const char *id,
                                             const char *type, const char *state_key,
                                             const char *sender, const char *content,
                                             const char *auth)
{
    struct event *ev = NULL;
    struct json *pdu = json_object(room->a);
    struct json *body = NULL;
    struct str head, rest = str_of(auth);
    CHECK(json_parse(room->a, str_of(content), &body, NULL) == ERR_NONE);
    json_put_text(pdu, "type", str_of(type));
    json_put_text(pdu, "state_key", str_of(state_key));
    json_put_text(pdu, "sender", str_of(sender));
    if (!room->version->room_id_is_create_hash || !str_eq(str_of(type), STR("m.room.create"))) {
        json_put_text(pdu, "room_id",
                      room->version->room_id_is_create_hash
                          ? STR("!ccccccccccccccccccccccccccccccccccccccccccc")
                          : STR("!r:one"));
    }
    json_put(pdu, STR("content"), body);
    room->depth++;
    json_put_int(pdu, "depth", room->depth);
    json_put_int(pdu, "origin_server_ts", room->depth);
    (void)json_put_array(pdu, STR("prev_events"));
    struct json *cited = json_put_array(pdu, STR("auth_events"));
    bool pairs = room->version->id_form == VERSION_ID_SERVER;
    while (rest.n > 0) {
        if (!str_cut(rest, ' ', &head, &rest)) {
            head = rest;
            rest = STR("");
        }
        json_push_text(pairs ? json_push_array(cited) : cited, head);
    }
    (void)json_put_object(pdu, STR("hashes"));
    (void)json_put_object(pdu, STR("signatures"));
    CHECK(event_from_tree(room->a, room->version, str_of(id), pdu, &ev) == ERR_NONE);
    map_put(&room->events, ev->id, ev);
    return ev;
}

static inline const struct event *test_room_get(void *ctx, struct str type, struct str state_key)
{
    const struct test_room *room = ctx;
    return map_get(&room->events, state_get(&room->state, type, state_key));
}

static inline bool test_allows(struct test_room *room, const struct event *ev)
{
    struct auth_view view = {room, test_room_get};
    struct verdict v = auth_check(room->a, ev, view);
    CHECK((v.kind == VERDICT_ACCEPT) == (v.why == NULL));
    return v.kind == VERDICT_ACCEPT;
}

/* Into the state, allowed or not. */
static inline const struct event *test_put(struct test_room *room, const struct event *ev)
{
    state_put(&room->state, ev->type, ev->state_key, ev->id);
    return ev;
}

/* Create event by @a:one, who is joined. */
static inline void test_room_open(struct test_room *room, const char *create)
{
    const char *id = room->version->room_id_is_create_hash
                         ? "$ccccccccccccccccccccccccccccccccccccccccccc"
                         : "$create:one";
    (void)test_put(room, test_event(room, id, "m.room.create", "", "@a:one", create, ""));
    (void)test_put(room, test_event(room, "$a:one", "m.room.member", "@a:one", "@a:one",
                                    "{\"membership\":\"join\"}", ""));
}

#endif
