/* GET /notifications (client-server API, "Listing Notifications"): newest first, over all rooms
 * that the reader is in, what his push rules notify of. Nothing is kept for it: events are judged
 * again, by the rules as they are now, a bounded number in one answer. */
#include "sync/notifications.h"

#include "engine/token.h"
#include "sync/stream.h"

enum { NOTIFICATIONS_DEFAULT = 20, LOOKED_AT_MAX = 500 };

/* A room, and its newest event that was not looked at. */
struct head {
    int64_t room, position;
    struct tally *tally; /* made when first needed */
};

struct walk {
    struct sync s;
    struct head *heads; /* as many as events are looked at: further rooms have none of those */
    size_t n;
    bool only_highlights;
    struct json *list;
};

static enum err read_heads(struct walk *w, int64_t upto)
{
    struct query q;
    w->heads = arena_array(w->s.a, LOOKED_AT_MAX, sizeof(*w->heads));
    query_start(&q, w->s.hs->store, STMT_TIMELINE_HEADS, "iii", w->s.user, upto,
                (int64_t)LOOKED_AT_MAX);
    while (w->n < LOOKED_AT_MAX && query_next(&q)) {
        w->heads[w->n] = (struct head){.room = query_int(&q, 0), .position = query_int(&q, 1)};
        w->n++;
    }
    return query_end(&q);
}

static struct head *newest(struct walk *w)
{
    struct head *out = &w->heads[0];
    for (size_t i = 1; i < w->n; i++) {
        out = w->heads[i].position > out->position ? &w->heads[i] : out;
    }
    return out;
}

/* The event at the head, which moves to the one before: INT64_MIN when there is none. */
static enum err take(struct walk *w, struct head *head, struct stored **ev)
{
    struct query q;
    int64_t nid = 0;
    int64_t before = INT64_MIN;
    query_start(&q, w->s.hs->store, STMT_TIMELINE_BACK, "iii", head->room, head->position,
                (int64_t)2);
    while (query_next(&q)) {
        before = nid == 0 ? INT64_MIN : query_int(&q, 1);
        nid = nid == 0 ? query_int(&q, 0) : nid;
    }
    TRY(query_end(&q));
    head->position = before;
    return event_get(w->s.hs, nid, ev);
}

/* An event that came while he was in the room, or brought him there. */
static enum err concerns(struct walk *w, const struct stored *ev, bool *out)
{
    *out = false;
    if (ev->status != EVENT_ACCEPTED || str_eq(ev->ev->sender, w->s.user_id)) {
        return ERR_NONE;
    }
    *out = event_is(ev->ev, STR("m.room.member"), w->s.user_id);
    return *out ? ERR_NONE : sync_was_in(&w->s, ev, out);
}

static enum err put(struct walk *w, struct tally *tally, const struct room *room,
                    const struct stored *ev)
{
    struct push_verdict verdict;
    struct json *event;
    bool read;
    TRY(tally_judge(tally, ev, &verdict));
    if (!verdict.notify || (w->only_highlights && !verdict.highlight)) {
        return ERR_NONE;
    }
    TRY(tally_is_read(tally, ev, &read));
    TRY(sync_event(&w->s, ev, &event));
    struct json *out = json_object(w->s.a);
    json_put(out, STR("actions"), json_copy(w->s.a, verdict.actions));
    json_put(out, STR("event"), event);
    json_put_bool(out, "read", read);
    json_put_text(out, "room_id", room->id);
    json_put_int(out, "ts", ev->ev->origin_server_ts);
    json_push(w->list, out);
    return ERR_NONE;
}

static enum err look(struct walk *w, struct head *head)
{
    struct stored *ev;
    struct room *room;
    bool wanted;
    TRY(take(w, head, &ev));
    TRY(concerns(w, ev, &wanted));
    if (!wanted) {
        return ERR_NONE;
    }
    TRY(room_get(w->s.hs, head->room, &room));
    if (head->tally == NULL) {
        TRY(tally_open(&w->s, room, &head->tally));
    }
    return put(w, head->tally, room, ev);
}

enum err notifications_get(struct hs *hs, struct req *req)
{
    struct sync_filter everything = {0};
    struct walk w = {0};
    struct str from = req_query(req, "from");
    int64_t limit = req_query_int(req, "limit", NOTIFICATIONS_DEFAULT);
    int64_t upto = store_position(hs->store);
    limit = limit < 1 ? 1 : (limit > MESSAGES_MAX ? MESSAGES_MAX : limit);
    if (!str_is_empty(from) && !token_parse(hs, from, &upto)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'from' is no token of this homeserver");
    }
    TRY(sync_open(&w.s, hs, req, upto, &everything));
    struct json *out = json_object(w.s.a);
    w.only_highlights = str_eq(req_query(req, "only"), STR("highlight"));
    w.list = json_put_array(out, STR("notifications"));
    TRY(read_heads(&w, upto));
    for (size_t i = 0; w.n > 0 && newest(&w)->position != INT64_MIN; i++) {
        if (i == LOOKED_AT_MAX || (int64_t)json_count(w.list) == limit) {
            int64_t next = newest(&w)->position;
            json_put_text(out, "next_token", token_write(hs, w.s.a, next));
            break;
        }
        TRY(look(&w, newest(&w)));
    }
    return reply_json(req, out);
}
