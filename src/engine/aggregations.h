/* What the events that relate to one add up to: unsigned.m.relations (client-server API,
 * "Aggregations of child events"): m.replace, m.thread, m.reference. */
#ifndef ENGINE_AGGREGATIONS_H
#define ENGINE_AGGREGATIONS_H

#include "engine/client_event.h"

/* Of what the view's user may see, puts "m.relations" into info (the event's `unsigned`) when there
 * is something to put. */
enum err aggregations_put(struct hs *hs, struct arena *a, const struct stored *s,
                          const struct client_view *view, struct json *info) MUST_USE;

#endif
