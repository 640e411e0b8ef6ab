/* The tables that join the folders. */
#include "hs/wiring.h"

#include "client/discovery.h"
#include "client/routes.h"
#include "engine/guests.h"
#include "engine/outbox.h"
#include "engine/search_index.h"
#include "fed/routes.h"
#include "sync/sync.h"

const subscriber_fn wiring_subscribers[] = {outbox_on_fact, search_index_on_fact, guests_on_fact,
                                            NULL};

const struct route *const wiring_client_routes[] = {client_routes, sync_routes, discovery_routes,
                                                    NULL};
const struct route *const wiring_peer_routes[] = {fed_routes, NULL};
const struct route *const wiring_server_routes[] = {fed_routes, discovery_routes, NULL};

const struct remote *wiring_remote(void)
{
    return &fed_remote;
}
