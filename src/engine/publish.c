/* Facts to their subscribers. */
#include "engine/publish.h"

#include "engine/gate.h"

static enum err wake_members(struct hs *hs, int64_t room, const char *membership)
{
    struct query q;
    query_start(&q, hs->store, STMT_MEMBER_LOCAL, "iti", room, str_of(membership),
                hs->identity.server_name);
    while (query_next(&q)) {
        gate_news(hs, query_int(&q, 0));
    }
    return query_end(&q);
}

enum err publish_room_news(struct hs *hs, int64_t room)
{
    gate_room_news(hs, room);
    TRY(wake_members(hs, room, "join"));
    return wake_members(hs, room, "invite");
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
