/* Events are indexed in the order of their rows, some in each turn, when a while has passed since
 * the first that waits: one write for many. A search does not wait for that. */
#include "engine/search_index.h"

#include "engine/event_cache.h"

enum { UPTO_ROW = 3, BATCH = 200, DELAY_MS = 30000, NEXT_MS = 20 };

struct search_index {
    int64_t due_ms; /* -1: nothing waits */
};

struct search_index *search_index_new(int64_t now_ms)
{
    struct search_index *index = base_alloc(sizeof(*index));
    index->due_ms = now_ms + DELAY_MS; /* a stop may have left some */
    return index;
}

void search_index_free(struct search_index *index)
{
    base_free(index);
}

int64_t search_index_next_ms(const struct hs *hs)
{
    return hs->search_index->due_ms;
}

struct str search_index_text(const struct event *ev, const char **field)
{
    static const struct {
        struct str type;
        const char *field;
    } rows[] = {
        {STR_INIT("m.room.message"), "body"},
        {STR_INIT("m.room.name"), "name"},
        {STR_INIT("m.room.topic"), "topic"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (str_eq(rows[i].type, ev->type)) {
            *field = rows[i].field;
            return json_get_text(ev->content, rows[i].field);
        }
    }
    return STR_ABSENT;
}

/* A redaction takes what it redacts out again. */
static enum err drop_target(struct hs *hs, const struct event *redaction)
{
    struct stored *target;
    enum err err =
        redaction->redacts.n == 0 ? ERR_ABSENT : event_find(hs, redaction->redacts, &target);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    const char *field;
    bool was_in = search_index_text(target->ev, &field).n > 0;
    return was_in && target->redacted_by.p != NULL
               ? store_run(hs->store, STMT_SEARCH_DROP, "i", target->nid)
               : ERR_NONE;
}

static enum err add(struct hs *hs, int64_t nid)
{
    struct stored *s;
    const char *field;
    TRY(event_get(hs, nid, &s));
    if (s->status != EVENT_ACCEPTED || !s->has_position) {
        return ERR_NONE;
    }
    struct str text = search_index_text(s->ev, &field);
    if (text.n > 0 && s->redacted_by.p == NULL) {
        struct str room = arena_fmt(hs->turn, "r%lld", (long long)s->room);
        return store_run(hs->store, STMT_SEARCH_PUT, "ittt", nid, room, str_of(field), text);
    }
    return drop_target(hs, s->ev);
}

/* *n: how many rows were looked at. */
static enum err add_batch(struct hs *hs, size_t *n)
{
    int64_t nids[BATCH];
    int64_t upto;
    struct query q;
    *n = 0;
    TRY(store_get_int(hs->store, &upto, 0, STMT_POSITION_GET, "i", (int64_t)UPTO_ROW));
    query_start(&q, hs->store, STMT_EVENT_ROWS_AFTER, "ii", upto, (int64_t)BATCH);
    while (*n < BATCH && query_next(&q)) {
        nids[*n] = query_int(&q, 0);
        (*n)++;
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < *n; i++) {
        TRY(add(hs, nids[i]));
    }
    return *n == 0 ? ERR_NONE
                   : store_run(hs->store, STMT_POSITION_PUT, "ii", (int64_t)UPTO_ROW, nids[*n - 1]);
}

enum err search_index_turn(struct hs *hs)
{
    size_t n;
    struct search_index *index = hs->search_index;
    if (index->due_ms < 0 || index->due_ms > hs->now.mono_ms || hs->settings.read_only) {
        return ERR_NONE;
    }
    index->due_ms = -1;
    TRY(add_batch(hs, &n));
    if (n == BATCH) {
        index->due_ms = hs->now.mono_ms + NEXT_MS;
    }
    return ERR_NONE;
}

enum err search_index_catch_up(struct hs *hs)
{
    size_t n = BATCH;
    for (size_t done = 0; n == BATCH && done < SEARCH_CATCH_UP; done += n) {
        TRY(add_batch(hs, &n));
    }
    return ERR_NONE;
}

enum err search_index_on_fact(struct hs *hs, const struct fact *fact)
{
    int64_t upto;
    if (hs->search_index->due_ms < 0) {
        hs->search_index->due_ms = hs->now.mono_ms + DELAY_MS;
    }
    if (!event_is_state(fact->ev)) {
        return ERR_NONE;
    }
    /* An event of some state gets its place in the timeline long after its row. */
    TRY(store_get_int(hs->store, &upto, 0, STMT_POSITION_GET, "i", (int64_t)UPTO_ROW));
    return fact->event <= upto ? add(hs, fact->event) : ERR_NONE;
}
