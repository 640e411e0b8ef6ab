/* Facts to their subscribers. */
#include "engine/publish.h"

#include "engine/current.h"
#include "engine/gate.h"
#include "engine/parked.h"

/* Reading a member of a room costs so much less than looking up a user's membership. */
enum { ROWS_A_LOOK_UP = 8 };

static enum err wake_members(struct hs *hs, int64_t room, const char *membership, size_t *left)
{
    struct query q;
    query_start(&q, hs->store, STMT_MEMBER_LOCAL, "iti", room, str_of(membership),
                hs->identity.server_name);
    while (*left > 0 && query_next(&q)) {
        gate_news(hs, query_int(&q, 0));
        (*left)--;
    }
    return query_end(&q);
}

static enum err wake_waiting(struct hs *hs, int64_t room)
{
    int64_t user;
    for (size_t i = 0; parked_next_quiet(hs->parked, &i, &user);) {
        struct str membership;
        TRY(current_membership(hs, user, room, hs->turn, &membership, NULL));
        if (str_eq(membership, STR("join")) || str_eq(membership, STR("invite"))) {
            gate_news(hs, user);
        }
    }
    return ERR_NONE;
}

/* By the members, or where they are many, by those who wait. */
enum err publish_room_news(struct hs *hs, int64_t room)
{
    gate_room_news(hs, room);
    size_t left = ROWS_A_LOOK_UP * parked_wakes(hs->parked);
    if (left == 0) {
        return ERR_NONE;
    }
    TRY(wake_members(hs, room, "join", &left));
    TRY(wake_members(hs, room, "invite", &left));
    return left > 0 ? ERR_NONE : wake_waiting(hs, room);
}

enum err publish(struct hs *hs, const struct fact *fact)
{
    if (fact->is_new) {
        TRY(room_touch(hs, fact->room, fact->position));
        TRY(publish_room_news(hs, fact->room->nid));
    }
    for (const subscriber_fn *fn = hs->subscribers; *fn != NULL; fn++) {
        TRY((*fn)(hs, fact));
    }
    return ERR_NONE;
}
