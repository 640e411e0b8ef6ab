/* What happened in a run beside the ordinary: faults and acts, numbered by kind, so that a run can
 * be repeated with only some of them. As text: "crash=0,3-5 act=1002". */
#ifndef TEST_SIM_SCHEDULE_H
#define TEST_SIM_SCHEDULE_H

#include "base/str.h"

enum happening {
    HAPPENS_CRASH,     /* at an effect */
    HAPPENS_FLUSH,     /* a flush fails */
    HAPPENS_CUT,       /* a link breaks */
    HAPPENS_CLOG,      /* a link stands still for seconds */
    HAPPENS_PARTITION, /* a node does not reach a relay */
    HAPPENS_RELAY,     /* a relay starts anew */
    HAPPENS_CLOCK,     /* a wall clock jumps */
    HAPPENS_QUOTA,     /* a disk is full for a while */
    HAPPENS_ACT,       /* of a user: user * SCHEDULE_ACTS + number */
    HAPPENS_ATTACK,    /* of the hostile peer */
    HAPPENS_KINDS,
};

#define SCHEDULE_ACTS 64
#define SCHEDULE_MAX 1024 /* numbers of a kind; what comes later happens only unlimited */

struct schedule {
    bool is_limited; /* only what is kept happens */
    bool kept[HAPPENS_KINDS][SCHEDULE_MAX];
    bool happened[HAPPENS_KINDS][SCHEDULE_MAX];
    uint32_t next[HAPPENS_KINDS];
};

/* The next of its kind is about to happen: may it? */
bool schedule_next(struct schedule *schedule, enum happening kind);
/* The same for one that has a number of its own. */
bool schedule_allows(struct schedule *schedule, enum happening kind, size_t number);

/* Only what a text names; false: it is no such text. */
bool schedule_parse(struct schedule *schedule, const char *text);
/* Prints what is kept. */
void schedule_print(const struct schedule *schedule);
const char *happening_name(enum happening kind);

#endif
