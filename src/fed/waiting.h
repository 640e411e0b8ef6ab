/* The table `waiting`: events that cite what is not here. Those of one server make a lane; no
 * server takes the places of others, nor their time. */
#ifndef FED_WAITING_H
#define FED_WAITING_H

#include "engine/event_cache.h"

enum { WAITING_MAX = 500 }; /* in one room */

struct waiting {
    struct str id, origin;
    int64_t stage; /* how far its fetch has come */
    struct event *ev;
};

/* Whose lane an event waits in: its sender's server's, whoever passes it on, if that had to sign it
 * (an invite by an address outside Matrix nobody has to); else that of who told it. */
struct str waiting_lane(struct hs *hs, struct str origin, const struct event *ev);

/* Of one server at most max; its newest push out its oldest, which they lead back to. Where the
 * room has too many, whoever has most gives way. */
enum err waiting_put(struct hs *hs, struct str origin, const struct room *room,
                     const struct event *ev, int64_t max) MUST_USE;
/* The lane's oldest, for this turn; ERR_ABSENT: none. origin: its server's name row. */
enum err waiting_next(struct hs *hs, const struct room *room, int64_t origin,
                      struct waiting *out) MUST_USE;
enum err waiting_set_stage(struct hs *hs, struct str id, int64_t stage) MUST_USE;
enum err waiting_drop(struct hs *hs, struct str id) MUST_USE;
enum err waiting_drop_room(struct hs *hs, int64_t room) MUST_USE;
/* Does an older one of another lane wait? */
enum err waiting_has_older(struct hs *hs, int64_t room, const struct waiting *w,
                           bool *has) MUST_USE;
enum err waiting_has(struct hs *hs, struct str id, bool *has) MUST_USE;
/* May so many more wait of that server without pushing others out? */
enum err waiting_has_room(struct hs *hs, const struct room *room, struct str origin, int64_t more,
                          bool *has) MUST_USE;

#endif
