/* One seed: a world is made, lives through its troubles, gets well, and is judged. */
#ifndef TEST_SIM_RUN_H
#define TEST_SIM_RUN_H

#include "test/sim/world.h"

struct run_options {
    size_t nodes;     /* 0: the seed chooses one or two */
    bool is_restless; /* people speak before all are in the room, go, and are thrown out */
    bool has_liar;    /* a hostile peer is among them */
    bool is_verbose;
    bool is_quiet;                   /* a failure is not told either */
    const struct schedule *schedule; /* NULL: everything happens */
    struct schedule *happened;       /* filled; may be NULL */
};

/* What is left of a world. */
struct run_result {
    bool is_ok;
    size_t nodes;
    int64_t ms;
    uint64_t trace;
    struct counts counts;
};

/* The same seed and options give the same result, whatever ran before. */
struct run_result run_seed(uint64_t seed, const struct run_options *options);
/* Prints the command that does it again, without the schedule and the end of the line. */
void run_tell_command(uint64_t seed, const struct run_options *options);

#endif
