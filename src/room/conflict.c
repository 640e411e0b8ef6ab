/* Fetching events once and dividing states into what they share and what not. */
#include "room/conflict.h"

#include "base/limits.h"

enum err conflict_known(struct resolution *r, struct str id, struct known **out)
{
    *out = map_get(&r->known, id);
    if (*out != NULL) {
        return ERR_NONE;
    }
    if (map_count(&r->known) >= AUTH_CHAIN_MAX) {
        return ERR_LIMIT;
    }
    bool rejected = false;
    const struct event *ev = r->source.get(r->source.ctx, id, &rejected);
    if (ev == NULL) {
        return ERR_ABSENT;
    }
    struct known *k = ARENA_NEW(r->a, struct known);
    k->ev = ev;
    k->rejected = rejected;
    map_put(&r->known, ev->id, k);
    *out = k;
    return ERR_NONE;
}

static enum err add_auth(struct resolution *r, struct known *k, struct str id)
{
    struct known *cited;
    TRY(conflict_known(r, id, &cited));
    for (size_t i = 0; i < k->n_auth; i++) {
        if (k->auth[i] == cited) {
            return ERR_NONE;
        }
    }
    k->auth[k->n_auth] = cited;
    k->n_auth++;
    return ERR_NONE;
}

enum err conflict_auth(struct resolution *r, struct known *k)
{
    if (k->has_auth) {
        return ERR_NONE;
    }
    k->auth = arena_array(r->a, k->ev->auth_events.n + 1, sizeof(struct known *));
    for (size_t i = 0; i < k->ev->auth_events.n; i++) {
        TRY(add_auth(r, k, k->ev->auth_events.at[i]));
    }
    if (r->version->room_id_is_create_hash && !str_eq(k->ev->type, STR("m.room.create"))) {
        struct str id = arena_join(r->a, STR("$"), str_from(k->ev->room_id, 1), STR_ABSENT);
        TRY(add_auth(r, k, id));
    }
    k->has_auth = true;
    return ERR_NONE;
}

/* The different events that the states have for one key. */
static enum err add_conflict(struct resolution *r, struct str type, struct str state_key)
{
    struct conflict *c = &r->conflicts[r->n_conflicts];
    *c = (struct conflict){.type = type, .state_key = state_key};
    c->events = arena_array(r->a, r->n_sets, sizeof(struct known *));
    for (size_t i = 0; i < r->n_sets; i++) {
        struct str id = state_get(r->sets[i], type, state_key);
        struct known *k;
        if (str_is_absent(id)) {
            continue;
        }
        TRY(conflict_known(r, id, &k));
        k->in_chains |= (uint32_t)1 << i;
        if (!k->conflicted) {
            k->conflicted = true;
            c->events[c->n] = k;
            c->n++;
        }
    }
    r->n_conflicts++;
    return ERR_NONE;
}

/* Was the key seen in a state before this one? */
static bool is_known_key(const struct resolution *r, size_t set, const struct state_entry *e)
{
    for (size_t i = 0; i < set; i++) {
        if (!str_is_absent(state_get_like(r->sets[i], e))) {
            return true;
        }
    }
    return false;
}

static bool is_agreed(const struct resolution *r, const struct state_entry *e)
{
    bool may_lack = r->version->resolution == VERSION_RESOLUTION_1;
    for (size_t i = 0; i < r->n_sets; i++) {
        struct str id = state_get_like(r->sets[i], e);
        if (!str_eq(id, e->event_id) && !(may_lack && str_is_absent(id))) {
            return false;
        }
    }
    return true;
}

static enum err divide_set(struct resolution *r, size_t i)
{
    const struct state *set = r->sets[i];
    for (const struct state_entry *e = state_next(set, NULL); e; e = state_next(set, e)) {
        if (is_known_key(r, i, e)) {
            continue;
        }
        if (is_agreed(r, e)) {
            state_put(&r->unconflicted, e->type, e->state_key, e->event_id);
        } else {
            TRY(add_conflict(r, e->type, e->state_key));
        }
    }
    return ERR_NONE;
}

enum err conflict_divide(struct resolution *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_sets; i++) {
        n += state_count(r->sets[i]);
    }
    r->conflicts = arena_array(r->a, n, sizeof(*r->conflicts));
    for (size_t i = 0; i < r->n_sets; i++) {
        TRY(divide_set(r, i));
    }
    return ERR_NONE;
}
