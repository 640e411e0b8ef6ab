/* Rows of waiting events. */
#include "fed/waiting.h"

#include "event/mxid.h"
#include "event/seal.h"

struct str waiting_lane(struct hs *hs, struct str origin, const struct event *ev)
{
    struct str server = mxid_server(ev->sender);
    struct strs signers = seal_servers(hs->turn, ev);
    for (size_t i = 0; i < signers.n; i++) {
        if (str_eq(signers.at[i], server)) {
            return server;
        }
    }
    return origin;
}

enum err waiting_put(struct hs *hs, struct str origin, const struct room *room,
                     const struct event *ev, int64_t max)
{
    int64_t all;
    int64_t of_origin;
    int64_t name;
    TRY(store_name(hs->store, origin, &name)); /* lanes are told apart by it */
    TRY(store_get_int(hs->store, &all, 0, STMT_WAITING_COUNT, "i", room->nid));
    TRY(store_get_int(hs->store, &of_origin, 0, STMT_WAITING_OF_ORIGIN, "it", room->nid, origin));
    if (of_origin >= max) {
        TRY(store_run(hs->store, STMT_WAITING_EVICT, "it", room->nid, origin));
    } else if (all >= WAITING_MAX) {
        TRY(store_run(hs->store, STMT_WAITING_EVICT_MOST, "i", room->nid));
    }
    return store_run(hs->store, STMT_WAITING_PUT, "titit", ev->id, room->nid, origin, ev->depth,
                     ev->json);
}

enum err waiting_next(struct hs *hs, const struct room *room, int64_t origin, struct waiting *out)
{
    struct query q;
    TRY(query_one(&q, hs->store, STMT_WAITING_NEXT, "ii", room->nid, origin));
    out->id = query_str(&q, hs->turn, 0);
    out->origin = query_str(&q, hs->turn, 1);
    out->stage = query_int(&q, 2);
    struct str text = query_str(&q, hs->turn, 3);
    TRY(query_end(&q));
    return event_load(hs->turn, room->version, out->id, text, &out->ev);
}

enum err waiting_set_stage(struct hs *hs, struct str id, int64_t stage)
{
    return store_run(hs->store, STMT_WAITING_STAGE, "it", stage, id);
}

enum err waiting_drop(struct hs *hs, struct str id)
{
    return store_run(hs->store, STMT_WAITING_DROP, "t", id);
}

enum err waiting_drop_room(struct hs *hs, int64_t room)
{
    return store_run(hs->store, STMT_WAITING_DROP_ROOM, "i", room);
}

enum err waiting_has(struct hs *hs, struct str id, bool *has)
{
    int64_t n;
    TRY(store_get_int(hs->store, &n, 0, STMT_WAITING_HAS, "t", id));
    *has = n != 0;
    return ERR_NONE;
}

enum err waiting_has_room(struct hs *hs, const struct room *room, struct str origin, int64_t more,
                          bool *has)
{
    int64_t n;
    TRY(store_get_int(hs->store, &n, 0, STMT_WAITING_OF_ORIGIN, "it", room->nid, origin));
    *has = n + more <= WAITING_MAX;
    return ERR_NONE;
}

enum err waiting_has_older(struct hs *hs, int64_t room, const struct waiting *w, bool *has)
{
    int64_t n;
    TRY(store_get_int(hs->store, &n, 0, STMT_WAITING_OLDER, "iit", room, w->ev->depth, w->origin));
    *has = n != 0;
    return ERR_NONE;
}
