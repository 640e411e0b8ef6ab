/* What the algorithms of state resolution share, for the files of room/ that make up resolve.h: the
 * events at hand, each fetched once, and which entries of the states are in conflict. */
#ifndef ROOM_CONFLICT_H
#define ROOM_CONFLICT_H

#include "base/map.h"
#include "room/resolve.h"

/* An event in the course of one resolution. The marks are resolve_v2.c's. */
struct known {
    const struct event *ev;
    bool rejected;
    bool has_auth; /* auth is filled */
    struct known **auth;
    size_t n_auth;
    uint32_t in_chains; /* bit i: in the auth chain of state i, or in that state itself */
    bool conflicted;    /* in the conflicted state set */
    bool full;          /* in the full conflicted set */
    bool leads_back;    /* conflicted, or its auth chain meets the conflicted state set */
    bool walked, common, in_graph;
    size_t index;    /* in the graph that is sorted */
    size_t mainline; /* 1 is the oldest; 0: not known yet or none */
    bool has_mainline;
};

/* One key that the states do not agree on. */
struct conflict {
    struct str type, state_key;
    struct known **events; /* each once */
    size_t n;
};

struct resolution {
    struct arena *a;
    const struct room_version *version;
    struct resolve_source source;
    struct map known; /* event id -> struct known */
    struct state unconflicted;
    struct conflict *conflicts;
    size_t n_conflicts;
    const struct state *const *sets;
    size_t n_sets;
    enum err err; /* first failure inside a view, which cannot return one */
};

/* Fetches an event, or finds it again. */
enum err conflict_known(struct resolution *r, struct str id, struct known **out) MUST_USE;
/* Fills k->auth: the events it cites, each once, and in version 12 the create event. */
enum err conflict_auth(struct resolution *r, struct known *k) MUST_USE;
/* Divides the states. An entry that a state lacks is a conflict in versions 2 and 2.1 only. */
enum err conflict_divide(struct resolution *r) MUST_USE;

/* The three algorithms; the states differ when these are called. */
enum err resolve_v1(struct resolution *r, struct state *out) MUST_USE;
enum err resolve_v2(struct resolution *r, struct state *out) MUST_USE;

#endif
