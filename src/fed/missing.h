/* Events that cite what is not here. They wait in the database, per room and oldest first, while
 * what they cite is fetched: the events between (get_missing_events), the events that allow them
 * (event_auth), and at last the state at the gap (state). */
#ifndef FED_MISSING_H
#define FED_MISSING_H

#include "engine/event_cache.h"

/* ev could not be decided: keep it and fetch. */
enum err missing_fetch(struct hs *hs, struct str origin, struct room *room,
                       const struct event *ev) MUST_USE;

struct missing;
struct missing *missing_new(void);
void missing_free(struct missing *m);
/* After a start: the rooms with waiting events are due. */
enum err missing_load(struct hs *hs) MUST_USE;
/* End of the turn: goes on where it is due. An input of its own. */
enum err missing_turn(struct hs *hs) MUST_USE;
/* mono_ms; -1: never. */
int64_t missing_next_ms(const struct hs *hs);

#endif
