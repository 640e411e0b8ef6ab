/* A queue in order of pushing; the stamps in it never go down, so its head decides. */
#include "engine/effects.h"

#include "base/buf.h"

#include <string.h>

enum { UNSTAMPED = 0, SPARED_MS = 1000 };

struct item {
    struct item *next;
    enum effect_kind kind;
    uint64_t id;
    uint64_t turn; /* UNSTAMPED until the turn commits */
    int status;
    bool is_text;
    int64_t at_mono_ms;
    size_t head_n, bytes_n;
    char data[]; /* head, then bytes */
};

struct effects {
    struct item *first, **end;
    struct item *given; /* what effects_next lent out last */
    size_t pushed;      /* ever, without those cut */
    uint64_t committed, durable, flushing;
    int64_t spared_until; /* a flush is due then, -1: there is nothing to spare */
    int64_t wake_at, wake_told;
    bool is_dead, restart_told;
};

struct effects *effects_new(void)
{
    struct effects *e = base_alloc(sizeof(*e));
    e->end = &e->first;
    e->committed = 1; /* turn 1 is what the database held when it was opened */
    e->durable = 1;
    e->spared_until = -1;
    e->wake_at = -1;
    e->wake_told = -1;
    return e;
}

static void drop_all(struct effects *e)
{
    while (e->first != NULL) {
        struct item *item = e->first;
        e->first = item->next;
        base_free(item);
    }
    e->end = &e->first;
}

void effects_free(struct effects *e)
{
    if (e != NULL) {
        drop_all(e);
        base_free(e->given);
        base_free(e);
    }
}

static void push(struct effects *e, struct item what, struct str head, struct str bytes)
{
    if (e->is_dead) {
        return;
    }
    struct item *item = base_alloc(sizeof(*item) + head.n + bytes.n);
    *item = what;
    item->head_n = head.n;
    item->bytes_n = bytes.n;
    if (head.n > 0) {
        memcpy(item->data, head.p, head.n);
    }
    if (bytes.n > 0) {
        memcpy(item->data + head.n, bytes.p, bytes.n);
    }
    *e->end = item;
    e->end = &item->next;
    e->pushed++;
}

void effects_respond(struct effects *e, uint64_t id, int status, struct str head, struct str body)
{
    push(e, (struct item){.kind = EFFECT_RESPOND, .id = id, .status = status}, head, body);
}

void effects_send(struct effects *e, uint64_t link, struct str message, bool is_text)
{
    push(e, (struct item){.kind = EFFECT_SEND, .id = link, .is_text = is_text}, STR(""), message);
}

void effects_dial(struct effects *e, uint64_t link, struct str url)
{
    push(e, (struct item){.kind = EFFECT_DIAL, .id = link}, STR(""), url);
}

void effects_close(struct effects *e, uint64_t link)
{
    push(e, (struct item){.kind = EFFECT_CLOSE, .id = link}, STR(""), STR(""));
}

void effects_fetch(struct effects *e, uint64_t id, struct str server, struct str request,
                   int64_t until_mono_ms)
{
    push(e, (struct item){.kind = EFFECT_FETCH, .id = id, .at_mono_ms = until_mono_ms}, server,
         request);
}

size_t effects_mark(const struct effects *e)
{
    return e->pushed;
}

void effects_cut(struct effects *e, size_t mark)
{
    size_t drop = e->pushed - mark;
    size_t n = 0;
    for (struct item *i = e->first; i != NULL; i = i->next) {
        n++;
    }
    assert(drop <= n);
    struct item **at = &e->first;
    for (size_t keep = n - drop; keep > 0; keep--) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    struct item *item = *at;
    *at = NULL;
    e->end = at;
    while (item != NULL) {
        struct item *next = item->next;
        base_free(item);
        item = next;
    }
    e->pushed = mark;
}

void effects_committed(struct effects *e, bool changed)
{
    if (changed) {
        e->committed++;
    }
    for (struct item *i = e->first; i != NULL; i = i->next) {
        if (i->turn == UNSTAMPED) {
            i->turn = e->committed;
        }
    }
}

void effects_spared(struct effects *e, struct now now)
{
    if (e->spared_until < 0) {
        e->spared_until = now.mono_ms + SPARED_MS;
    }
}

void effects_flushed(struct effects *e, uint64_t turn)
{
    assert(turn == e->flushing);
    e->durable = turn;
    e->flushing = 0;
}

void effects_restart(struct effects *e)
{
    drop_all(e);
    e->is_dead = true;
}

void effects_wake(struct effects *e, int64_t at_mono_ms, struct now now)
{
    if (e->spared_until >= 0 && e->spared_until <= now.mono_ms) {
        e->spared_until = -1;
        e->committed++;
    }
    if (e->spared_until >= 0 && (at_mono_ms < 0 || e->spared_until < at_mono_ms)) {
        at_mono_ms = e->spared_until;
    }
    bool has_come = at_mono_ms >= 0 && at_mono_ms <= now.mono_ms;
    e->wake_at = has_come ? now.mono_ms + 1 : at_mono_ms;
}

static bool give(struct effects *e, struct effect *out)
{
    struct item *item = e->first;
    e->first = item->next;
    if (e->first == NULL) {
        e->end = &e->first;
    }
    e->given = item;
    *out = (struct effect){.kind = item->kind,
                           .id = item->id,
                           .status = item->status,
                           .is_text = item->is_text,
                           .at_mono_ms = item->at_mono_ms,
                           .head = str_make(item->data, item->head_n),
                           .bytes = str_make(item->data + item->head_n, item->bytes_n)};
    return true;
}

bool effects_next(struct effects *e, struct effect *out)
{
    base_free(e->given);
    e->given = NULL;
    if (e->is_dead) {
        *out = (struct effect){.kind = EFFECT_RESTART};
        bool tell = !e->restart_told;
        e->restart_told = true;
        return tell;
    }
    if (e->flushing == 0 && e->committed > e->durable) {
        e->flushing = e->committed;
        e->spared_until = -1;
        *out = (struct effect){.kind = EFFECT_FLUSH, .id = e->flushing};
        return true;
    }
    if (e->first != NULL && e->first->turn != UNSTAMPED && e->first->turn <= e->durable) {
        return give(e, out);
    }
    if (e->wake_at != e->wake_told) {
        e->wake_told = e->wake_at;
        *out = (struct effect){.kind = EFFECT_WAKE, .at_mono_ms = e->wake_at};
        return true;
    }
    return false;
}

bool effects_is_dirty(const struct effects *e)
{
    return e->committed > e->durable || e->spared_until >= 0;
}
