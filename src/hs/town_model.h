/* A town for tests: whole homeservers in memory, joined by a network that a test can bend. The
 * network takes the place of src/net: requests and answers are carried whole, and a rule may hold,
 * lose or rewrite each. Time passes only in town_pass. */
#ifndef HS_TOWN_MODEL_H
#define HS_TOWN_MODEL_H

#include "hs/hs.h"
#include "test/rng.h"
#include "json/json.h"

enum { TOWN_MAX = 4, TOWN_ASKED_MAX = 4096 };

/* A request on its way, or its answer on the way back. A rule may rewrite status and answer. */
struct parcel {
    int from, to; /* houses; to -1: nobody has that name */
    uint64_t id;  /* the caller's; 0: the test asks */
    struct str line, head, body;
    int status; /* of the answer; 0: this is the request */
    struct str answer;
    bool is_sent, is_held, is_done;
};

enum fate {
    FATE_PASS,
    FATE_HOLD, /* until town_release */
    FATE_LOSE, /* the caller hears that it failed */
};

struct town;
typedef enum fate (*town_rule)(struct town *t, struct parcel *p);

struct house {
    struct hs *hs;
    struct town *town;
    struct rng rng;
    int64_t wake_ms;
    bool is_away; /* nobody reaches it */
    bool restarted;
    uint32_t openings;
};

struct town {
    struct arena *a;
    struct house houses[TOWN_MAX];
    int n;
    struct now now;
    town_rule rule; /* NULL: everything passes */
    int seen;       /* the rule's own count */
    struct parcel *parcels;
    size_t first, n_parcels; /* before first all are done */
    uint64_t next_id;
    int asked[TOWN_ASKED_MAX]; /* status of each client request by id, 0: it waits */
    struct json *answer;       /* of the last request */
    void (*log)(struct town *t, int house, enum log_level level, struct str line); /* or NULL */
};

/* Houses 0 .. n-1 that know one another. */
struct town *town_new(int n);
void town_free(struct town *t);
/* Opens a house that is closed, or opens it again: what it asked and was asked is cut off. Its
 * database is the file path of sqlite's file system vfs. An error leaves it closed, with hs NULL.
 */
enum err town_open(struct town *t, int house, struct str path, const char *vfs) MUST_USE;
struct str town_name(struct town *t, int house);

/* Registers a user; gives the header line that proves who asks. */
const char *town_user(struct town *t, int house, const char *name);
/* "@name:house" */
const char *town_user_id(struct town *t, int house, const char *name);
/* A client's request, run until nothing moves: its status, 0 while it waits; t->answer. */
int town_ask(struct town *t, int house, const char *who, const char *line, const char *body);
/* The same; gives the id, by which t->asked has the status. */
uint64_t town_begin(struct town *t, int house, const char *who, const char *line, const char *body);
/* At most 4 kB. */
struct str town_text(struct town *t, const char *format, ...) PRINTF_LIKE(2, 3);
/* A request of one server to another with the former's signature: its status; t->answer. */
int town_serve(struct town *t, int from, int to, const char *line, const char *body);
/* The object with a house's signature. */
struct json *town_signed(struct town *t, int house, struct json *object);

/* Until nothing moves; no time passes. */
void town_run(struct town *t);
/* Time passes; whatever is due happens. */
void town_pass(struct town *t, int64_t ms);
/* What was held is put before the rule once more; released, before no rule any more. */
void town_let_go(struct town *t);
void town_release(struct town *t);

/* createRoom with that body. */
struct str town_room(struct town *t, int house, const char *who, const char *body);
bool town_join(struct town *t, int house, const char *who, struct str room, int through);
bool town_leave(struct town *t, int house, const char *who, struct str room);
/* PUT below the room, "state/m.room.topic" say: the event id; absent when it was refused. */
struct str town_put(struct town *t, int house, const char *who, struct str room, const char *what,
                    const char *content);
struct str town_say(struct town *t, int house, const char *who, struct str room, const char *text);
/* Does GET /event give it? */
bool town_sees(struct town *t, int house, const char *who, struct str room, struct str event_id);

#endif
