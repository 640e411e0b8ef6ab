/* Rows of gaps. */
#include "engine/gap.h"

/* Places kept in a gap between two stays in a room: more events than anybody reads back over. */
enum { GAP_PLACES = 1 << 20 };

enum err gap_find(struct hs *hs, int64_t room, int64_t position, struct gap *out)
{
    struct query q;
    *out = (struct gap){.room = room};
    TRY(query_one(&q, hs->store, STMT_GAP_BELOW, "ii", room, position));
    out->position = query_int(&q, 0);
    out->next = out->position;
    out->top = out->position;
    return query_end(&q);
}

enum err gap_open(struct hs *hs, const struct room *room)
{
    int64_t last;
    TRY(store_get_int(hs->store, &last, 0, STMT_TIMELINE_BACK, "iii", room->nid, INT64_MAX,
                      (int64_t)1));
    if (last != 0) {
        store_position_skip(hs->store, GAP_PLACES);
    }
    return ERR_NONE;
}

enum err gap_put(struct hs *hs, const struct stored *s, int64_t position)
{
    return store_run(hs->store, STMT_GAP_PUT, "iii", s->room, s->nid, position);
}

enum err gap_place(struct hs *hs, struct gap *gap, int64_t *position)
{
    struct query q;
    enum err err =
        query_one(&q, hs->store, STMT_TIMELINE_BACK, "iii", gap->room, gap->next - 1, (int64_t)1);
    if (err == ERR_NONE) { /* events of an older stay: is there a place above them? */
        int64_t floor = query_int(&q, 1);
        TRY(query_end(&q));
        if (gap->next - 1 > floor) {
            gap->next--;
            *position = gap->next;
            return ERR_NONE;
        }
    } else if (err != ERR_ABSENT) {
        return err;
    }
    TRY(store_position_before(hs->store, &gap->next));
    *position = gap->next;
    return ERR_NONE;
}

enum err gap_move(struct hs *hs, struct gap *gap)
{
    TRY(store_run(hs->store, STMT_GAP_MOVE, "iii", gap->next, gap->room, gap->position));
    gap->position = gap->next;
    return ERR_NONE;
}
