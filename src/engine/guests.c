/* Who is a guest, an account of ours says. */
#include "engine/guests.h"

#include "engine/current.h"
#include "engine/send.h"

static enum err leave(struct hs *hs, struct room *room, struct str user_id)
{
    struct verdict verdict;
    struct stored *sent;
    struct json *content = json_object(hs->turn);
    json_put_text(content, "membership", STR("leave"));
    struct send_parts parts = {
        .sender = user_id, .type = STR("m.room.member"), .state_key = user_id, .content = content};
    return send_event(hs, room, &parts, &verdict, &sent);
}

enum err guests_on_fact(struct hs *hs, const struct fact *fact)
{
    struct query q;
    struct json *access;
    struct str guests[GUESTS_OF_ROOM_MAX];
    size_t n = 0;
    if (!fact->is_new || !event_is(fact->ev, STR("m.room.guest_access"), STR(""))) {
        return ERR_NONE;
    }
    TRY(current_content(hs, fact->room, STR("m.room.guest_access"), STR(""), &access));
    if (str_eq(json_get_text(access, "guest_access"), STR("can_join"))) {
        return ERR_NONE;
    }
    query_start(&q, hs->store, STMT_MEMBER_GUESTS, "ii", fact->room->nid,
                (int64_t)GUESTS_OF_ROOM_MAX);
    while (n < GUESTS_OF_ROOM_MAX && query_next(&q)) {
        guests[n] = query_str(&q, hs->turn, 0);
        n++;
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < n; i++) {
        TRY(leave(hs, fact->room, guests[i]));
    }
    return ERR_NONE;
}
