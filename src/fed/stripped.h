/* What others tell of a room to those who are not in it yet: state of an invite or a knock. */
#ifndef FED_STRIPPED_H
#define FED_STRIPPED_H

#include "engine/engine.h"
#include "event/event.h"

/* A new array of the elements that have the form of stripped state, and of it no more than that;
 * ev is put last. given may be NULL. */
struct json *stripped_take(struct arena *a, const struct json *given, const struct event *ev);
/* How an invite or a knock ended, for those same: JSON text of an array of one event as clients see
 * them. ev NULL: our user declined it and nobody could be told, so there is an event for him alone.
 */
struct str stripped_end(struct hs *hs, struct arena *a, struct str user_id, const struct event *ev);

#endif
