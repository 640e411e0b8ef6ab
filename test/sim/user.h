/* A person with a client: registers, comes into the room, acts, and reads along.
 *
 *   user.c    its life, and the requests that everybody begins with
 *   acts.c    what it does, one of a table at a time
 *   reader.c  its /sync, and what may never be seen there
 *   audit.c   at the end: the whole history and state of each room it is in
 *
 * Three lanes with one request open at most: one acts, one reads, one glances at what somebody
 * else is saying just now. Every message has a text of
 * its own, "u<user> m<number>", by which it is known wherever it is read. */
#ifndef TEST_SIM_USER_H
#define TEST_SIM_USER_H

#include "test/sim/lane.h"

#define SAID_MAX 64    /* messages of a user */
#define LETTERS_MAX 32 /* likewise */
#define TEXT_MAX 32
#define EVENT_ID 80

/* A message as its sender knows it. */
struct said {
    size_t room;
    char event_id[EVENT_ID];
    int64_t asked_ms;
    bool is_edit, is_acked, is_refused;
    bool is_redaction_asked, is_redacted;
};

/* A message to somebody's devices: arrives once. */
struct letter {
    size_t to;
    bool is_acked;
};

/* A message as somebody read it. */
struct seen {
    bool is_there, is_history; /* history: its place among the others says nothing */
    uint32_t era;
    char event_id[EVENT_ID];
};

enum view { VIEW_OUT, VIEW_INVITED, VIEW_IN };

/* A room as a user knows it. */
struct place {
    enum view view;
    bool was_in;
    bool is_shut; /* out, for all it can know: nothing said after shut_ms may be read */
    int64_t shut_ms;
    int64_t in_since_ms; /* everything asked later comes by /sync */
    int64_t join_answered_ms;
    bool is_joining;
    bool is_unsure;     /* told that it is out while a join was under way: before it or after? */
    uint32_t era;       /* how often it has been out; a timeline may repeat then */
    uint32_t asked_era; /* when the reading lane asked */
    char gap[160];      /* where to read back from; empty: no gap */
    char *state;        /* as told at the end */
    bool is_audited;
    bool is_gone[WORLD_USERS_MAX]; /* as told by /sync */
};

enum step { STEP_REGISTER_ASK, STEP_REGISTER, STEP_CREATE, STEP_JOIN, STEP_ACT, STEP_DONE };

struct user {
    struct world *world;
    struct station *node;
    size_t index;
    struct rng rng;
    enum step step;
    struct lane act, read, glance;
    uint64_t request_serial;
    char token[128], session[128], id[320], since[128], old_since[128];
    int64_t position; /* of since */
    char last_seen[EVENT_ID];
    size_t last_seen_room;
    int acts_done;
    int said_n;
    struct said said[SAID_MAX];
    int letters_n;
    struct letter letters[LETTERS_MAX];
    bool has_letter[WORLD_USERS_MAX][LETTERS_MAX];
    struct seen seen[WORLD_USERS_MAX][SAID_MAX];
    char glimpsed[WORLD_USERS_MAX][SAID_MAX][EVENT_ID]; /* seen beside /sync */
    struct place places[WORLD_ROOMS_MAX];
    /* Of the act that is under way. */
    const struct act *doing;
    size_t doing_room;
    int doing_said; /* the message it concerns */
    size_t doing_target;
    int found[WORLD_USERS_MAX][SAID_MAX]; /* by the audit that is under way */
};

struct user *user_new(struct world *world, size_t index, struct station *node);
void user_free(struct user *user);

/* After an act: the next one in a while. */
void user_goes_on(struct user *user);
/* It has done all that it wants to do. */
bool user_is_done(const struct user *user);
/* One line on where it is, for a run that does not end. */
void user_describe(const struct user *user);
/* Says one thing more in the room. */
void user_nudge(struct user *user, size_t room);
void user_unexpected(struct user *user, const char *what, int status, struct str body);
/* Copies; false: it is absent or too long. */
bool user_copy(char *out, size_t size, struct str text);

/* acts.c: the next act, drawn; false: there was nothing to ask. */
bool act_next(struct user *user);
bool act_say(struct user *user, size_t room);
/* Looks at the end of room 0 in a moment, out of turn. */
void act_glance(struct user *user);
/* Asks to join room 0 by its alias, another by its id. */
void act_join(struct user *user, size_t room);

/* reader.c */
void reader_start(struct user *user);
/* Whose message is it? False: none of ours. */
bool reader_identify(const struct world *world, struct str text, size_t *user, int *number);
/* What is read may be read. */
void reader_check(struct user *user, size_t room, struct str text, struct str event_id);
/* Everything said while it was in a room has come. */
bool reader_has_all(const struct user *user, bool tell);
bool said_is_contested(const struct world *world, size_t user, const struct said *said);

/* audit.c: asks for history and state of every room it is in; the answer is there when
 * audit_is_over. Then audit_finds says whether the history holds all, and place.state is set. */
void audit_start(struct user *user);
bool audit_is_over(const struct user *user);
bool audit_finds(const struct user *user, bool tell);

#endif
