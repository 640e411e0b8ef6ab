/* Rows of relations and threads. */
#include "engine/relations.h"

static enum err put(struct hs *hs, int64_t room, int64_t nid, int64_t position,
                    const struct event *ev, struct str target, struct str rel_type, struct str key)
{
    int64_t sender;
    int64_t type;
    TRY(store_name(hs->store, ev->sender, &sender));
    TRY(store_name(hs->store, ev->type, &type));
    return store_run(hs->store, STMT_RELATION_PUT, "ttitiiiii", target, rel_type, nid, key, room,
                     position, ev->origin_server_ts, sender, type);
}

struct relation {
    struct str target, rel_type, key;
};

/* False: the event relates to nothing. */
static bool relation_of(const struct event *ev, struct relation *out)
{
    const struct json *relates = json_get_object(ev->content, "m.relates_to");
    out->target = json_get_text(relates, "event_id");
    out->rel_type = json_get_text(relates, "rel_type");
    out->key = json_get_text(relates, "key");
    return out->target.n > 0 && out->rel_type.n > 0 &&
           !str_eq(out->rel_type, STR(RELATION_REDACTS));
}

enum err relations_put(struct hs *hs, int64_t room, int64_t nid, int64_t position,
                       const struct event *ev)
{
    struct relation r;
    if (relation_of(ev, &r)) {
        TRY(put(hs, room, nid, position, ev, r.target, r.rel_type, r.key));
        if (str_eq(r.rel_type, STR("m.thread"))) {
            TRY(store_run(hs->store, STMT_THREAD_PUT, "iti", room, r.target, position));
        }
    }
    return str_is_empty(ev->redacts)
               ? ERR_NONE
               : put(hs, room, nid, position, ev, ev->redacts, STR(RELATION_REDACTS), STR_ABSENT);
}

/* The thread now ends with its newest reply that is left. */
static enum err move_thread(struct hs *hs, int64_t room, struct str root)
{
    int64_t nid;
    struct stored *newest;
    TRY(store_get_int(hs->store, &nid, 0, STMT_RELATION_NEWEST, "itti", room, root, STR("m.thread"),
                      (int64_t)1));
    if (nid == 0) {
        return store_run(hs->store, STMT_THREAD_DROP, "it", room, root);
    }
    TRY(event_get(hs, nid, &newest));
    return store_run(hs->store, STMT_THREAD_MOVE, "iit", newest->position, room, root);
}

enum err relations_drop(struct hs *hs, const struct stored *s)
{
    struct relation r;
    if (!relation_of(s->ev, &r)) {
        return ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_RELATION_DROP, "tti", r.target, r.rel_type, s->nid));
    return str_eq(r.rel_type, STR("m.thread")) ? move_thread(hs, s->room, r.target) : ERR_NONE;
}
