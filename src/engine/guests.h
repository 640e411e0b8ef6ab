/* Guests leave a room that takes guest access back (client-server API, "Guest access"). */
#ifndef ENGINE_GUESTS_H
#define ENGINE_GUESTS_H

#include "engine/publish.h"

/* A subscriber, the last one: what it sends follows the change that it answers. */
enum err guests_on_fact(struct hs *hs, const struct fact *fact) MUST_USE;

#endif
