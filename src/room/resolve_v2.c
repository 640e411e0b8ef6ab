/* State resolution version 2 (room versions 2 to 11) and 2.1 (12).
 *
 *     states ──► unconflicted map ────────────────────────────────────────────┐
 *        │                                                                    ▼
 *        └─────► full conflicted set ─► power events, sorted ─► checked ─► the rest by ─► checked
 *                                                               in turn    mainline       in turn
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "room/auth.h"
#include "room/conflict.h"
#include "room/power.h"
#include "room/sort.h"

static const char POWER_LEVELS[] = "m.room.power_levels";

/* --- the full conflicted set -------------------------------------------------------------- */

struct frame {
    struct known *k;
    size_t next; /* of its auth events */
};

/* Events in an order in which each comes after those it cites. */
struct walk {
    struct known **order;
    size_t n, cap;
    struct frame *stack;
    size_t depth, cap_stack;
};

static void *grown(struct arena *a, void *old, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) {
        return old;
    }
    *cap = *cap == 0 ? 64 : *cap * 2;
    void *p = arena_array(a, *cap, size);
    if (n > 0) {
        memcpy(p, old, n * size);
    }
    return p;
}

static void walk_push(struct resolution *r, struct walk *w, struct known *k)
{
    if (!k->walked) {
        k->walked = true;
        w->stack = grown(r->a, w->stack, w->depth, &w->cap_stack, sizeof(*w->stack));
        w->stack[w->depth] = (struct frame){k, 0};
        w->depth++;
    }
}

static enum err walk_from(struct resolution *r, struct walk *w, struct known *root)
{
    walk_push(r, w, root);
    while (w->depth > 0) {
        struct frame *top = &w->stack[w->depth - 1];
        TRY(conflict_auth(r, top->k));
        if (top->next < top->k->n_auth) {
            struct known *cited = top->k->auth[top->next];
            top->next++;
            walk_push(r, w, cited);
        } else {
            w->order = grown(r->a, w->order, w->n, &w->cap, sizeof(struct known *));
            w->order[w->n] = top->k;
            w->n++;
            w->depth--;
        }
    }
    return ERR_NONE;
}

/* Marks what the shared part of the states rests on, until no candidate is left unmarked: it is in
 * the auth chain of every state. */
static enum err mark_common(struct resolution *r, size_t n_candidates)
{
    struct known **stack = NULL;
    size_t n = 0;
    size_t cap = 0;
    const struct state *shared = &r->unconflicted;
    for (const struct state_entry *e = state_next(shared, NULL); e != NULL && n_candidates > 0;
         e = state_next(shared, e)) {
        struct known *k;
        TRY(conflict_known(r, e->event_id, &k));
        stack = grown(r->a, stack, n, &cap, sizeof(struct known *));
        stack[n] = k;
        n++;
        while (n > 0 && n_candidates > 0) {
            n--;
            k = stack[n];
            if (k->common) {
                continue;
            }
            k->common = true;
            n_candidates -= k->full;
            TRY(conflict_auth(r, k));
            for (size_t i = 0; i < k->n_auth; i++) {
                stack = grown(r->a, stack, n, &cap, sizeof(struct known *));
                stack[n] = k->auth[i];
                n++;
            }
        }
    }
    return ERR_NONE;
}

/* In some chains and not in all; `full` marks the candidates until mark_common has spoken. The
 * events of a state count as part of its chain. */
static enum err mark_difference(struct resolution *r, const struct walk *w)
{
    uint32_t all = (uint32_t)(((uint64_t)1 << r->n_sets) - 1);
    size_t n_candidates = 0;
    for (size_t i = w->n; i > 0; i--) {
        struct known *k = w->order[i - 1];
        for (size_t j = 0; j < k->n_auth; j++) {
            k->auth[j]->in_chains |= k->in_chains;
        }
    }
    for (size_t i = 0; i < w->n; i++) {
        struct known *k = w->order[i];
        k->full = k->in_chains != all && !k->conflicted;
        n_candidates += k->full;
    }
    TRY(mark_common(r, n_candidates));
    for (size_t i = 0; i < w->n; i++) {
        struct known *k = w->order[i];
        k->full = k->conflicted || (k->full && !k->common);
    }
    return ERR_NONE;
}

/* Version 2.1 adds what lies between two conflicted events. Every event of the walk is cited, from
 * near or far, by one of them; what is left to ask is whether it leads back to one. */
static void mark_between(const struct walk *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct known *k = w->order[i];
        k->leads_back = k->conflicted;
        for (size_t j = 0; j < k->n_auth; j++) {
            k->leads_back = k->leads_back || k->auth[j]->leads_back;
        }
        k->full = k->full || k->leads_back;
    }
}

/* --- reverse topological power ordering --------------------------------------------------- */

static bool is_power_event(const struct event *ev)
{
    struct str membership = event_membership(ev);
    return event_is(ev, str_of(POWER_LEVELS), STR("")) ||
           event_is(ev, STR("m.room.join_rules"), STR("")) ||
           event_is(ev, STR("m.room.create"), STR("")) ||
           (event_is_state(ev) &&
            (str_eq(membership, STR("leave")) || str_eq(membership, STR("ban"))) &&
            !str_eq(ev->sender, ev->state_key));
}

static struct known *cited_power_levels(const struct known *k)
{
    for (size_t i = 0; i < k->n_auth; i++) {
        if (event_is(k->auth[i]->ev, str_of(POWER_LEVELS), STR(""))) {
            return k->auth[i];
        }
    }
    return NULL;
}

/* By the levels that the event itself cites. */
static int64_t power_of_sender(const struct resolution *r, const struct known *k)
{
    const struct known *levels = cited_power_levels(k);
    const struct event *create = NULL;
    for (size_t i = 0; i < k->n_auth; i++) {
        if (event_is(k->auth[i]->ev, STR("m.room.create"), STR(""))) {
            create = k->auth[i]->ev;
        }
    }
    struct power power = power_of(create, levels == NULL ? NULL : levels->ev);
    power.version = r->version;
    return power_of_user(&power, k->ev->sender);
}

/* The power events and, of what they rest on, the part in the full conflicted set. */
static size_t take_power_events(struct resolution *r, const struct walk *w, struct sort_node *graph)
{
    struct known **stack = arena_array(r->a, w->n + 1, sizeof(struct known *));
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) {
        size_t depth = 0;
        if (w->order[i]->full && !w->order[i]->in_graph && is_power_event(w->order[i]->ev)) {
            w->order[i]->in_graph = true;
            stack[depth] = w->order[i];
            depth++;
        }
        while (depth > 0) {
            depth--;
            struct known *k = stack[depth];
            k->index = n;
            graph[n] = (struct sort_node){.k = k, .power = power_of_sender(r, k)};
            n++;
            for (size_t j = 0; j < k->n_auth; j++) {
                if (k->auth[j]->full && !k->auth[j]->in_graph) {
                    k->auth[j]->in_graph = true;
                    stack[depth] = k->auth[j];
                    depth++;
                }
            }
        }
    }
    return n;
}

/* --- iterative auth checks ---------------------------------------------------------------- */

/* One check sees the state so far and, for what that lacks, what the event cites. */
struct sight {
    struct resolution *r;
    const struct state *resolved;
    const struct known *k;
};

static const struct event *sight_get(void *ctx, struct str type, struct str state_key)
{
    struct sight *s = ctx;
    struct str id = state_get(s->resolved, type, state_key);
    if (!str_is_absent(id)) {
        struct known *k;
        enum err err = conflict_known(s->r, id, &k);
        if (err != ERR_NONE) {
            s->r->err = err;
            return NULL;
        }
        if (!k->rejected) {
            return k->ev;
        }
    }
    for (size_t i = 0; i < s->k->n_auth; i++) {
        if (!s->k->auth[i]->rejected && event_is(s->k->auth[i]->ev, type, state_key)) {
            return s->k->auth[i]->ev;
        }
    }
    return NULL;
}

static void check_in_turn(struct resolution *r, struct state *resolved, struct known *const *list,
                          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct event *ev = list[i]->ev;
        struct sight sight = {r, resolved, list[i]};
        struct auth_view view = {&sight, sight_get};
        if (event_is_state(ev) && !list[i]->rejected &&
            auth_check(r->a, ev, view).kind == VERDICT_ACCEPT) {
            state_put(resolved, ev->type, ev->state_key, ev->id);
        }
    }
}

/* --- mainline ordering -------------------------------------------------------------------- */

static enum err mark_mainline(struct resolution *r, const struct state *resolved)
{
    struct str id = state_get(resolved, str_of(POWER_LEVELS), STR(""));
    struct known *newest;
    size_t n = 0;
    if (str_is_absent(id)) {
        return ERR_NONE;
    }
    TRY(conflict_known(r, id, &newest));
    /* Only ids that are no hashes can go round, and then the mark ends it. */
    for (struct known *k = newest; k != NULL && !k->has_mainline; k = cited_power_levels(k)) {
        TRY(conflict_auth(r, k));
        k->has_mainline = true;
        n++;
    }
    for (struct known *k = newest; k != NULL && n > 0; k = cited_power_levels(k)) {
        k->mainline = n;
        n--;
    }
    return ERR_NONE;
}

/* The place where an event's chain of power levels meets the mainline; 0: nowhere. Remembered on
 * every power levels event of the way. */
static enum err find_mainline(struct resolution *r, struct known *ev)
{
    size_t steps = 0;
    struct known *end = ev;
    while (end != NULL && !end->has_mainline && steps < AUTH_CHAIN_MAX) {
        TRY(conflict_auth(r, end));
        end = cited_power_levels(end);
        steps++;
    }
    size_t position = end == NULL ? 0 : end->mainline;
    for (struct known *k = ev; k != NULL && !k->has_mainline; k = cited_power_levels(k)) {
        k->mainline = position;
        k->has_mainline = true;
    }
    return ERR_NONE;
}

static int compare_mainline(const void *a, const void *b)
{
    const struct known *const *left = a;
    const struct known *const *right = b;
    const struct known *x = *left;
    const struct known *y = *right;
    if (x->mainline != y->mainline) {
        return x->mainline < y->mainline ? -1 : 1;
    }
    if (x->ev->origin_server_ts != y->ev->origin_server_ts) {
        return x->ev->origin_server_ts < y->ev->origin_server_ts ? -1 : 1;
    }
    return str_cmp(x->ev->id, y->ev->id);
}

/* --- the algorithm ------------------------------------------------------------------------ */

static enum err check_the_rest(struct resolution *r, const struct walk *w, struct state *resolved)
{
    struct known **rest = arena_array(r->a, w->n + 1, sizeof(struct known *));
    size_t n = 0;
    TRY(mark_mainline(r, resolved));
    for (size_t i = 0; i < w->n; i++) {
        if (w->order[i]->full && !w->order[i]->in_graph) {
            TRY(find_mainline(r, w->order[i]));
            rest[n] = w->order[i];
            n++;
        }
    }
    qsort(rest, n, sizeof(struct known *), compare_mainline);
    check_in_turn(r, resolved, rest, n);
    return r->err;
}

enum err resolve_v2(struct resolution *r, struct state *out)
{
    struct walk w = {0};
    struct state resolved;
    for (size_t i = 0; i < r->n_conflicts; i++) {
        for (size_t j = 0; j < r->conflicts[i].n; j++) {
            TRY(walk_from(r, &w, r->conflicts[i].events[j]));
        }
    }
    TRY(mark_difference(r, &w));
    state_copy(&resolved, &r->unconflicted, r->a);
    if (r->version->resolution == VERSION_RESOLUTION_2_1) {
        mark_between(&w);
        state_init(&resolved, r->a);
    }
    struct sort_node *graph = arena_array(r->a, w.n + 1, sizeof(*graph));
    size_t n = take_power_events(r, &w, graph);
    struct known **sorted = sort_power(r->a, graph, &n);
    check_in_turn(r, &resolved, sorted, n);
    TRY(r->err);
    TRY(check_the_rest(r, &w, &resolved));
    state_copy(out, &r->unconflicted, r->a);
    for (const struct state_entry *e = state_next(&resolved, NULL); e != NULL;
         e = state_next(&resolved, e)) {
        if (str_is_absent(state_get_like(out, e))) {
            state_put(out, e->type, e->state_key, e->event_id);
        }
    }
    return ERR_NONE;
}
