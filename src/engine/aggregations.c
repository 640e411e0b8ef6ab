/* Each event is asked once which kinds of relations it has; most have none. */
#include "engine/aggregations.h"

#include "engine/visible.h"

enum { EDITS_LOOKED_AT = 32, REPLIES_LOOKED_AT = 16, REFERENCES_MAX = 100 };

struct bundle {
    struct hs *hs;
    struct arena *a;
    const struct stored *s;
    struct client_view view; /* of what is bundled */
    struct str user_id;      /* of the view's user */
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

/* May the reader see what would be bundled? It may be newer than his leaving, or older than that
 * the room shows its history. */
static enum err is_visible(struct bundle *b, const struct stored *s, bool *visible)
{
    *visible = true;
    return b->view.user == 0 ? ERR_NONE
                             : visible_to_user(b->hs, s, b->view.user, b->user_id, visible);
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
        bool visible = false;
        TRY(event_get(b->hs, nids[i], &edit));
        if (is_edit_of(edit, b->s)) {
            TRY(is_visible(b, edit, &visible));
        }
        if (visible) {
            TRY(client_event(b->hs, b->a, edit, &b->view, &shown));
            put(b, "m.replace", shown);
            return ERR_NONE;
        }
    }
    return ERR_NONE;
}

/* Newest first. */
static enum err list_children(struct bundle *b, const char *kind, int64_t *nids, size_t max,
                              size_t *n)
{
    struct query q;
    query_start(&q, b->hs->store, STMT_RELATION_NEWEST, "itti", b->s->room, b->s->ev->id,
                str_of(kind), (int64_t)max);
    for (*n = 0; *n < max && query_next(&q); (*n)++) {
        nids[*n] = query_int(&q, 0);
    }
    return query_end(&q);
}

/* The newest reply that the reader may see; *out NULL: none of the newest ones. */
static enum err find_reply(struct bundle *b, struct stored **out)
{
    int64_t nids[REPLIES_LOOKED_AT];
    size_t n;
    *out = NULL;
    TRY(list_children(b, "m.thread", nids, REPLIES_LOOKED_AT, &n));
    for (size_t i = 0; i < n && *out == NULL; i++) {
        struct stored *reply;
        bool visible;
        TRY(event_get(b->hs, nids[i], &reply));
        TRY(is_visible(b, reply, &visible));
        *out = visible ? reply : NULL;
    }
    return ERR_NONE;
}

static enum err put_thread(struct bundle *b, int64_t count)
{
    int64_t own;
    struct stored *newest;
    struct json *latest;
    TRY(find_reply(b, &newest));
    TRY(store_get_int(b->hs->store, &own, 0, STMT_RELATION_BY_SENDER, "ittii", b->s->room,
                      b->s->ev->id, STR("m.thread"), b->view.user, (int64_t)1));
    if (newest == NULL) {
        return ERR_NONE;
    }
    TRY(client_event(b->hs, b->a, newest, &b->view, &latest));
    struct bundle inner = {
        .hs = b->hs, .a = b->a, .s = newest, .view = b->view, .user_id = b->user_id};
    inner.info = json_get_object(latest, "unsigned");
    TRY(put_replace(&inner));
    struct json *thread = json_object(b->a);
    json_put(thread, STR("latest_event"), latest);
    json_put_int(thread, "count", count);
    json_put_bool(thread, "current_user_participated",
                  own != 0 || str_eq(b->user_id, b->s->ev->sender));
    put(b, "m.thread", thread);
    return ERR_NONE;
}

static enum err put_references(struct bundle *b)
{
    int64_t nids[REFERENCES_MAX];
    size_t n;
    TRY(list_children(b, "m.reference", nids, REFERENCES_MAX, &n));
    struct json *references = json_object(b->a);
    struct json *chunk = json_put_array(references, STR("chunk"));
    for (; n > 0; n--) { /* oldest first */
        struct stored *s;
        bool visible;
        TRY(event_get(b->hs, nids[n - 1], &s));
        TRY(is_visible(b, s, &visible));
        if (visible) {
            json_put_text(json_push_object(chunk), "event_id", s->ev->id);
        }
    }
    if (json_first(chunk) != NULL) {
        put(b, "m.reference", references);
    }
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
    if (b.view.user != 0 && (replace || reference || thread > 0)) {
        TRY(store_name_text(hs->store, a, b.view.user, &b.user_id));
    }
    if (replace) {
        TRY(put_replace(&b));
    }
    if (reference) {
        TRY(put_references(&b));
    }
    return thread > 0 ? put_thread(&b, thread) : ERR_NONE;
}
