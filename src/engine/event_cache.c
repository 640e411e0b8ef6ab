/* Parsed events and rooms, by id and by row number; rows of states. */
#include "engine/event_cache.h"

#include "base/map.h"

#include <stddef.h>

enum { CACHE_SIZE_MAX = 8 * 1024 * 1024 };

struct event_cache {
    struct arena *a;
    struct map by_id, by_nid, rooms_by_id, rooms_by_nid, state_rows;
};

static void fill(struct event_cache *c)
{
    map_init_in(&c->by_id, c->a);
    map_init_in(&c->by_nid, c->a);
    map_init_in(&c->rooms_by_id, c->a);
    map_init_in(&c->rooms_by_nid, c->a);
    map_init_in(&c->state_rows, c->a);
}

struct event_cache *event_cache_new(void)
{
    struct event_cache *c = base_alloc(sizeof(*c));
    c->a = arena_new();
    fill(c);
    return c;
}

void event_cache_free(struct event_cache *c)
{
    if (c != NULL) {
        arena_free(c->a);
        base_free(c);
    }
}

void event_cache_clear(struct hs *hs)
{
    arena_clear(hs->cache->a);
    fill(hs->cache);
}

void event_cache_trim(struct hs *hs)
{
    if (arena_size(hs->cache->a) > CACHE_SIZE_MAX) {
        event_cache_clear(hs);
    }
}

static struct str key_of(const int64_t *nid)
{
    return str_make(nid, sizeof(*nid));
}

static void keep(struct event_cache *c, struct stored *s)
{
    map_put(&c->by_id, s->ev->id, s);
    map_put(&c->by_nid, key_of(&s->nid), s);
}

static enum err load(struct hs *hs, struct query *q, struct stored **out)
{
    struct event_cache *c = hs->cache;
    struct stored *s = ARENA_NEW(c->a, struct stored);
    struct str json = query_str(q, c->a, 8);
    struct str id = query_str(q, c->a, 9);
    *s = (struct stored){.nid = query_int(q, 0),
                         .room = query_int(q, 1),
                         .status = (enum event_status)query_int(q, 2),
                         .is_outlier = query_int(q, 3) != 0,
                         .has_position = !query_is_null(q, 4),
                         .position = query_int(q, 4),
                         .before = query_int(q, 5),
                         .after = query_int(q, 6),
                         .redacted_by = query_str(q, c->a, 7),
                         .txn_device = query_str(q, c->a, 10),
                         .txn_id = query_str(q, c->a, 11)};
    TRY(query_end(q));
    struct room *room;
    TRY(room_get(hs, s->room, &room));
    TRY(event_load(c->a, room->version, id, json, &s->ev));
    keep(c, s);
    *out = s;
    return ERR_NONE;
}

enum err event_keep(struct hs *hs, const struct stored *row, const struct event *ev)
{
    struct event_cache *c = hs->cache;
    if (arena_size(c->a) > CACHE_SIZE_MAX) { /* the whole state of a room that is entered, say */
        return ERR_NONE;
    }
    struct stored *s = ARENA_NEW(c->a, struct stored);
    *s = *row;
    TRY(event_copy(c->a, ev, &s->ev));
    keep(c, s);
    return ERR_NONE;
}

enum err event_find(struct hs *hs, struct str event_id, struct stored **out)
{
    *out = map_get(&hs->cache->by_id, event_id);
    if (*out != NULL) {
        return ERR_NONE;
    }
    struct query q;
    TRY(query_one(&q, hs->store, STMT_EVENT_BY_ID, "t", event_id));
    return load(hs, &q, out);
}

enum err event_get(struct hs *hs, int64_t nid, struct stored **out)
{
    *out = map_get(&hs->cache->by_nid, key_of(&nid));
    if (*out != NULL) {
        return ERR_NONE;
    }
    struct query q;
    TRY(query_one(&q, hs->store, STMT_EVENT_BY_NID, "i", nid));
    return load(hs, &q, out);
}

enum err event_set_txn(struct hs *hs, struct stored *s, struct str device_id, struct str txn_id)
{
    s->txn_device = arena_str(hs->cache->a, device_id);
    s->txn_id = arena_str(hs->cache->a, txn_id);
    return store_run(hs->store, STMT_EVENT_TXN, "tti", device_id, txn_id, s->nid);
}

void event_forget(struct hs *hs, const struct stored *s)
{
    (void)map_remove(&hs->cache->by_id, s->ev->id);
    (void)map_remove(&hs->cache->by_nid, key_of(&s->nid));
}

struct state_row {
    int64_t of, type, state_key, event;
};

static struct str key_of_state(const struct state_row *row)
{
    return str_make(row, offsetof(struct state_row, event));
}

bool state_row_find(const struct hs *hs, int64_t of, int64_t type, int64_t state_key,
                    int64_t *event)
{
    struct state_row wanted = {of, type, state_key, 0};
    const struct state_row *row = map_get(&hs->cache->state_rows, key_of_state(&wanted));
    *event = row == NULL ? 0 : row->event;
    return row != NULL;
}

void state_row_keep(struct hs *hs, int64_t of, int64_t type, int64_t state_key, int64_t event)
{
    struct event_cache *c = hs->cache;
    struct state_row *row = ARENA_NEW(c->a, struct state_row);
    *row = (struct state_row){of, type, state_key, event};
    map_put(&c->state_rows, key_of_state(row), row);
}

void state_row_forget(struct hs *hs, int64_t of, int64_t type, int64_t state_key)
{
    struct state_row row = {of, type, state_key, 0};
    (void)map_remove(&hs->cache->state_rows, key_of_state(&row));
}

static enum err load_room(struct hs *hs, struct query *q, int64_t nid, struct str id,
                          struct room **out)
{
    struct event_cache *c = hs->cache;
    struct room *room = ARENA_NEW(c->a, struct room);
    room->nid = nid != 0 ? nid : query_int(q, 0);
    room->id = id.p != NULL ? arena_str(c->a, id) : query_str(q, c->a, 0);
    struct str version = query_str(q, c->a, 1);
    room->version = room_version_find(version);
    room->snapshot = query_int(q, 2);
    room->last_position = query_int(q, 3);
    room->is_published = query_int(q, 4) != 0;
    TRY(query_end(q));
    if (room->version == NULL) {
        hs_log(hs, LOG_ERROR, "room %.*s has the unknown version %.*s", STR_ARG(room->id),
               STR_ARG(version));
        return ERR_CORRUPT;
    }
    map_put(&c->rooms_by_id, room->id, room);
    map_put(&c->rooms_by_nid, key_of(&room->nid), room);
    *out = room;
    return ERR_NONE;
}

enum err room_find(struct hs *hs, struct str room_id, struct room **out)
{
    *out = map_get(&hs->cache->rooms_by_id, room_id);
    if (*out != NULL) {
        return ERR_NONE;
    }
    struct query q;
    TRY(query_one(&q, hs->store, STMT_ROOM_FIND, "t", room_id));
    return load_room(hs, &q, 0, room_id, out);
}

enum err room_get(struct hs *hs, int64_t nid, struct room **out)
{
    *out = map_get(&hs->cache->rooms_by_nid, key_of(&nid));
    if (*out != NULL) {
        return ERR_NONE;
    }
    struct query q;
    TRY(query_one(&q, hs->store, STMT_ROOM_GET, "i", nid));
    return load_room(hs, &q, nid, STR_ABSENT, out);
}

/* A room of which nothing is here but its name may have been told of with a wrong version. */
static enum err correct_version(struct hs *hs, struct room *room,
                                const struct room_version *version)
{
    int64_t event;
    TRY(store_get_int(hs->store, &event, 0, STMT_EVENT_OF_ROOM, "i", room->nid));
    if (room->snapshot != 0 || event != 0) {
        return ERR_NONE;
    }
    room->version = version;
    return store_run(hs->store, STMT_ROOM_VERSION, "ti", version->name, room->nid);
}

enum err room_make(struct hs *hs, struct str room_id, const struct room_version *version,
                   struct room **out)
{
    enum err err = room_find(hs, room_id, out);
    if (err == ERR_NONE && (*out)->version != version) {
        return correct_version(hs, *out, version);
    }
    if (err != ERR_ABSENT) {
        return err;
    }
    TRY(store_run(hs->store, STMT_ROOM_PUT, "tt", room_id, version->name));
    return room_find(hs, room_id, out);
}

enum err room_set_snapshot(struct hs *hs, struct room *room, int64_t snapshot)
{
    room->snapshot = snapshot;
    return store_run(hs->store, STMT_ROOM_SNAPSHOT, "ii", snapshot, room->nid);
}

enum err room_touch(struct hs *hs, struct room *room, int64_t position)
{
    room->last_position = position;
    return store_run(hs->store, STMT_ROOM_TOUCH, "ii", position, room->nid);
}

enum err room_publish(struct hs *hs, struct room *room, bool is_published)
{
    room->is_published = is_published;
    return store_run(hs->store, STMT_ROOM_PUBLISH, "ii", (int64_t)is_published, room->nid);
}
