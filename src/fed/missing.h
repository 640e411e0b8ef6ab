/* Events that cite what is not here. They wait in the database, per room and server and oldest
 * first, while what they cite is fetched: the events between (get_missing_events), the events that
 * allow them (event_auth), and at last the state at the gap (state). */
#ifndef FED_MISSING_H
#define FED_MISSING_H

#include "engine/event_cache.h"

/* ev, whose signatures are good, could not be decided: keep it and fetch. origin: who told it. */
enum err missing_fetch(struct hs *hs, struct str origin, struct room *room,
                       const struct event *ev) MUST_USE;

/* We are joining the room by this send_join: what comes from the room meanwhile is kept, ... */
void missing_hold(struct hs *hs, struct room *room, uint64_t call);
bool missing_is_held(const struct hs *hs, const struct room *room);
enum err missing_keep(struct hs *hs, struct str origin, struct room *room,
                      const struct event *ev) MUST_USE;
/* ... looked at when the join has landed, and forgotten when nobody lets us in. */
enum err missing_landed(struct hs *hs, const struct room *room) MUST_USE;
enum err missing_forget(struct hs *hs, const struct room *room) MUST_USE;

struct missing;
struct missing *missing_new(void);
void missing_free(struct missing *m);
/* After a start: what has waiting events is due. */
enum err missing_load(struct hs *hs) MUST_USE;
/* End of the turn: goes on where it is due, each lane as an input of its own. */
void missing_turn(struct hs *hs);
/* Somebody can be reached again. */
void missing_seen(struct hs *hs);
/* mono_ms; -1: never. */
int64_t missing_next_ms(const struct hs *hs);

#endif
