/* Rooms in place of rows. */
#include "fed/catch_up.h"

enum { LATEST_MAX = EVENT_PREV_MAX };

enum err catch_up_trim(struct hs *hs, int64_t server, int64_t last_id, int64_t failures)
{
    int64_t waiting, most = OUTBOX_PDUS_MAX;
    if (failures >= OUTBOX_LONG_FAILURES) {
        most = OUTBOX_LONG_PDUS_MAX;
    }
    TRY(store_run(hs->store, STMT_OUTBOX_DROP_EDUS, "iii", server, last_id,
                  (int64_t)OUTBOX_EDUS_MAX));
    TRY(store_get_int(hs->store, &waiting, 0, STMT_OUTBOX_COUNT_PDUS, "i", server));
    if (waiting <= most) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_BEHIND_PUT, "ii", server, last_id));
    return store_run(hs->store, STMT_OUTBOX_DROP_PDUS, "ii", server, last_id);
}

/* The ends of the room's graph, newest first, when the server is still in the room; else what took
 * its users out of it. */
static enum err find_latest(struct hs *hs, int64_t server, int64_t room, int64_t latest[LATEST_MAX],
                            size_t *n)
{
    struct query q;
    int64_t user;
    *n = 0;
    TRY(store_get_int(hs->store, &user, 0, STMT_MEMBER_OF_SERVER, "ii", room, server));
    if (user == 0) {
        query_start(&q, hs->store, STMT_MEMBER_GONE_OF_SERVER, "iii", room, server,
                    (int64_t)LATEST_MAX);
    } else {
        query_start(&q, hs->store, STMT_EXTREMITY_LIST, "i", room);
    }
    while (*n < LATEST_MAX && query_next(&q)) {
        latest[*n] = query_int(&q, 0);
        (*n)++;
    }
    return query_end(&q);
}

enum err catch_up_next(struct hs *hs, int64_t server, bool *has)
{
    int64_t room;
    int64_t latest[LATEST_MAX];
    size_t n;
    TRY(store_get_int(hs->store, &room, 0, STMT_BEHIND_NEXT, "i", server));
    *has = room != 0;
    if (!*has) {
        return ERR_NONE;
    }
    TRY(find_latest(hs, server, room, latest, &n));
    for (; n > 0; n--) {
        TRY(store_run(hs->store, STMT_OUTBOX_PUT, "iitt", server, latest[n - 1], STR_ABSENT,
                      STR_ABSENT));
    }
    return store_run(hs->store, STMT_BEHIND_DROP, "ii", server, room);
}
