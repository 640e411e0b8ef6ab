/* State resolution version 1 (room version 1): power levels, then join rules, then memberships,
 * each conflict decided by walking its events from the oldest; then everything else. */
#include <stdlib.h>
#include <string.h>

#include "room/auth.h"
#include "room/conflict.h"
#include "room/sha1.h"

/* What one check sees: the candidate in its key's place, else what is decided so far. */
struct sight {
    struct resolution *r;
    const struct state *decided;
    const struct event *candidate; /* NULL: none */
};

/* An event in the order of depth, with the tie-break. */
struct ranked {
    const struct event *ev;
    uint8_t hash[SHA1_SIZE];
};

static const struct event *sight_get(void *ctx, struct str type, struct str state_key)
{
    struct sight *s = ctx;
    struct known *k;
    if (s->candidate != NULL && event_is(s->candidate, type, state_key)) {
        return s->candidate;
    }
    struct str id = state_get(s->decided, type, state_key);
    if (str_is_absent(id)) {
        return NULL;
    }
    enum err err = conflict_known(s->r, id, &k);
    if (err != ERR_NONE) {
        s->r->err = err;
        return NULL;
    }
    return k->ev;
}

/* The deepest first, then by SHA-1 of the id. */
static int compare(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->ev->depth != y->ev->depth) {
        return x->ev->depth > y->ev->depth ? -1 : 1;
    }
    return memcmp(x->hash, y->hash, SHA1_SIZE);
}

static struct ranked *rank(struct resolution *r, const struct conflict *c)
{
    struct ranked *list = arena_array(r->a, c->n, sizeof(*list));
    for (size_t i = 0; i < c->n; i++) {
        list[i].ev = c->events[i]->ev;
        sha1(list[i].hash, list[i].ev->id);
    }
    qsort(list, c->n, sizeof(*list), compare);
    return list;
}

static bool is_allowed(struct sight *s, const struct event *ev)
{
    struct auth_view view = {s, sight_get};
    return auth_check(s->r->a, ev, view).kind == VERDICT_ACCEPT;
}

/* From the shallowest up, as long as each is allowed where the one before it stands. */
static const struct event *choose_by_chain(struct resolution *r, const struct state *decided,
                                           const struct conflict *c)
{
    const struct ranked *list = rank(r, c);
    struct sight s = {r, decided, list[c->n - 1].ev};
    for (size_t i = c->n - 1; i > 0; i--) {
        if (!is_allowed(&s, list[i - 1].ev)) {
            break;
        }
        s.candidate = list[i - 1].ev;
    }
    return s.candidate;
}

/* The deepest that is allowed, else the shallowest. */
static const struct event *choose_one(struct resolution *r, const struct state *decided,
                                      const struct conflict *c)
{
    const struct ranked *list = rank(r, c);
    struct sight s = {r, decided, NULL};
    for (size_t i = 0; i < c->n; i++) {
        if (is_allowed(&s, list[i].ev)) {
            return list[i].ev;
        }
    }
    return list[c->n - 1].ev;
}

enum err resolve_v1(struct resolution *r, struct state *out)
{
    static const struct str by_chain[] = {STR_INIT("m.room.power_levels"),
                                          STR_INIT("m.room.join_rules"), STR_INIT("m.room.member")};
    struct state *decided = &r->unconflicted;
    bool *done = arena_array(r->a, r->n_conflicts, sizeof(*done));
    for (size_t kind = 0; kind <= COUNT_OF(by_chain); kind++) {
        struct state next;
        bool last = kind == COUNT_OF(by_chain);
        state_copy(&next, decided, r->a);
        for (size_t i = 0; i < r->n_conflicts; i++) {
            const struct conflict *c = &r->conflicts[i];
            /* Only the one event that gives the levels counts as power levels. */
            bool match =
                last ? !done[i]
                     : str_eq(c->type, by_chain[kind]) && (kind > 0 || str_is_empty(c->state_key));
            if (match) {
                const struct event *ev =
                    last ? choose_one(r, decided, c) : choose_by_chain(r, decided, c);
                state_put(&next, c->type, c->state_key, ev->id);
                done[i] = true;
            }
        }
        *decided = next;
    }
    *out = *decided;
    return r->err;
}
