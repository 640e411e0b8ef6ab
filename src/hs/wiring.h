/* Who serves and who subscribes: the only place that knows both sides of each table. */
#ifndef HS_WIRING_H
#define HS_WIRING_H

#include "engine/req.h"

extern const subscriber_fn wiring_subscribers[];
/* The tables of each door; end with NULL. */
extern const struct route *const wiring_client_routes[];
extern const struct route *const wiring_peer_routes[];
extern const struct route *const wiring_server_routes[];
const struct remote *wiring_remote(void);

#endif
