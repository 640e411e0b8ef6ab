/* A run: one clock, one sequence of chance, the homeservers, the relay between them, the users. */
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include "base/str.h"
#include "test/rng.h"
#include "test/sim/agenda.h"
#include "test/sim/schedule.h"

#define WORLD_NODES_MAX 4
#define WORLD_USERS_MAX 16
#define WORLD_ROOMS_MAX 2

struct liar;
struct station;
struct user;
struct wire;

/* How bad the world is: each "one in n" of 0 never happens. */
struct faults {
    uint64_t crash_one_in;     /* effects */
    uint64_t bad_flush_one_in; /* flushes */
    uint64_t link_cut_one_in;  /* messages over a link */
    uint64_t clog_one_in;      /* likewise */
};

/* What happened, counted. */
struct counts {
    uint64_t turns, crashes, flushes, requests, link_messages;
};

#define WORLD_LAST_LINES 40
#define WORLD_LINE 240

/* Made by the user of the same number; room 0 is public and has an alias, others are not. */
struct room {
    char id[256];                       /* empty until it is made */
    bool is_moderated[WORLD_USERS_MAX]; /* somebody tried to throw the user out */
};

struct world {
    uint64_t seed;
    struct rng rng, weather;
    struct schedule schedule;
    struct agenda agenda;
    int64_t now_ms;
    struct faults faults;
    int64_t weather_every_ms; /* at most this long between two; 0: fair weather */
    bool is_clear;            /* faults have stopped */
    struct station *nodes[WORLD_NODES_MAX];
    size_t n_nodes;
    struct wire *wire; /* NULL: no relay */
    struct liar *liar; /* NULL: everybody is honest */
    struct user *users[WORLD_USERS_MAX];
    size_t n_users;
    int acts_each;
    bool is_settled; /* nobody acts before all are in room 0, and nobody goes */
    struct room rooms[WORLD_ROOMS_MAX];
    size_t n_rooms;
    /* What happened, in one number; the same seed gives the same. */
    uint64_t trace;
    struct counts counts;
    bool is_verbose, is_quiet, is_failed;
    char last[WORLD_LAST_LINES][WORLD_LINE]; /* the trace's newest lines, a ring */
    size_t n_lines;
};

/* A line of the trace: goes into the number, and to stdout when verbose. */
void world_trace(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
/* The bytes go into the number, unprinted. */
void world_trace_bytes(struct world *world, struct str bytes);
/* An invariant does not hold: printed with seed, time and what happened last; the run ends. */
void world_fail(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
