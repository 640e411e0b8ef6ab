/* Relays and peers for the status page. */
#ifndef ENGINE_STATUS_NET_H
#define ENGINE_STATUS_NET_H

#include "engine/engine.h"

/* Puts "relay" ("up", "down", "none"), "relays" and "peers". */
void status_net_put(struct hs *hs, struct arena *a, struct json *out);

#endif
