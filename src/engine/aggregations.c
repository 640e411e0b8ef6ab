/* Each event is asked once which kinds of relations it has; most have none. */
#include "engine/aggregations.h"

enum { EDITS_LOOKED_AT = 32, REFERENCES_MAX = 100 };

struct bundle {
    struct hs *hs;
    struct arena *a;
    const struct stored *s;
    struct client_view view; /* of what is bundled */
    struct json *info, *out;
};

static void put(struct bundle *b, const char *kind, struct json *value)
{
    if (b->out == NULL) {
        b->out = json_put_object(b->info, STR("m.relations"));
    }
    json_put(b->out, str_of(kind), value);
}

static bool is_edit_of(const struct stored *edit, const struct stored *s)
{
    return edit->redacted_by.p == NULL && !event_is_state(edit->ev) &&
           str_eq(edit->ev->type, s->ev->type) && str_eq(edit->ev->sender, s->ev->sender) &&
           (json_get_object(edit->ev->content, "m.new_content") != NULL ||
            str_eq(edit->ev->type, STR("m.room.encrypted")));
}

/* Those of its own sender, latest time first, of one time the greatest id. */
static enum err list_edits(struct bundle *b, int64_t *nids, size_t *n)
{
    struct query q;
    int64_t sender;
    TRY(store_name_find(b->hs->store, b->s->ev->sender, &sender));
    query_start(&q, b->hs->store, STMT_RELATION_BY_SENDER, "ittii", b->s->room, b->s->ev->id,
                STR("m.replace"), sender, (int64_t)EDITS_LOOKED_AT);
    for (*n = 0; *n < EDITS_LOOKED_AT && query_next(&q); (*n)++) {
        nids[*n] = query_int(&q, 0);
    }
    return query_end(&q);
}

static enum err put_replace(struct bundle *b)
{
    int64_t nids[EDITS_LOOKED_AT];
    size_t n;
    const struct json *relates = json_get_object(b->s->ev->content, "m.relates_to");
    if (event_is_state(b->s->ev) || b->s->redacted_by.p != NULL ||
        str_eq(json_get_text(relates, "rel_type"), STR("m.replace"))) {
        return ERR_NONE;
    }
    TRY(list_edits(b, nids, &n));
    for (size_t i = 0; i < n; i++) {
        struct stored *edit;
        struct json *shown;
        TRY(event_get(b->hs, nids[i], &edit));
        if (is_edit_of(edit, b->s)) {
            TRY(client_event(b->hs, b->a, edit, &b->view, &shown));
            put(b, "m.replace", shown);
            return ERR_NONE;
        }
    }
    return ERR_NONE;
}

static enum err put_thread(struct bundle *b, int64_t count)
{
    int64_t nid;
    int64_t own;
    struct stored *newest;
    struct json *latest;
    TRY(store_get_int(b->hs->store, &nid, 0, STMT_RELATION_NEWEST, "itti", b->s->room, b->s->ev->id,
                      STR("m.thread"), (int64_t)1));
    TRY(store_get_int(b->hs->store, &own, 0, STMT_RELATION_BY_SENDER, "ittii", b->s->room,
                      b->s->ev->id, STR("m.thread"), b->view.user, (int64_t)1));
    if (nid == 0) {
        return ERR_NONE;
    }
    TRY(event_get(b->hs, nid, &newest));
    TRY(client_event(b->hs, b->a, newest, &b->view, &latest));
    struct bundle inner = {.hs = b->hs, .a = b->a, .s = newest, .view = b->view};
    inner.info = json_get_object(latest, "unsigned");
    TRY(put_replace(&inner));
    struct json *thread = json_object(b->a);
    json_put(thread, STR("latest_event"), latest);
    json_put_int(thread, "count", count);
    struct str user_id;
    TRY(store_name_text(b->hs->store, b->a, b->view.user, &user_id));
    json_put_bool(thread, "current_user_participated",
                  own != 0 || str_eq(user_id, b->s->ev->sender));
    put(b, "m.thread", thread);
    return ERR_NONE;
}

static enum err put_references(struct bundle *b)
{
    struct query q;
    int64_t nids[REFERENCES_MAX];
    size_t n = 0;
    query_start(&q, b->hs->store, STMT_RELATION_NEWEST, "itti", b->s->room, b->s->ev->id,
                STR("m.reference"), (int64_t)REFERENCES_MAX);
    while (n < REFERENCES_MAX && query_next(&q)) {
        nids[n] = query_int(&q, 0);
        n++;
    }
    TRY(query_end(&q));
    struct json *references = json_object(b->a);
    struct json *chunk = json_put_array(references, STR("chunk"));
    for (; n > 0; n--) { /* oldest first */
        struct stored *s;
        TRY(event_get(b->hs, nids[n - 1], &s));
        json_put_text(json_push_object(chunk), "event_id", s->ev->id);
    }
    put(b, "m.reference", references);
    return ERR_NONE;
}

enum err aggregations_put(struct hs *hs, struct arena *a, const struct stored *s,
                          const struct client_view *view, struct json *info)
{
    struct query q;
    struct bundle b = {.hs = hs, .a = a, .s = s, .info = info};
    bool replace = false;
    bool reference = false;
    int64_t thread = 0;
    if (view != NULL) {
        b.view = *view;
    }
    b.view.without_relations = true;
    b.view.without_room_id = false;
    query_start(&q, hs->store, STMT_RELATION_TYPES, "it", s->room, s->ev->id);
    while (query_next(&q)) {
        struct str kind = query_str(&q, a, 0);
        replace = replace || str_eq(kind, STR("m.replace"));
        reference = reference || str_eq(kind, STR("m.reference"));
        thread = str_eq(kind, STR("m.thread")) ? query_int(&q, 1) : thread;
    }
    TRY(query_end(&q));
    if (replace) {
        TRY(put_replace(&b));
    }
    if (reference) {
        TRY(put_references(&b));
    }
    return thread > 0 ? put_thread(&b, thread) : ERR_NONE;
}
