/* Where the homeserver of a name is: the files below /.well-known/matrix/ that the name's HTTPS
 * serves (client-server API, "Well-known URIs"; server-server API, "Server discovery"). */
#ifndef CLIENT_DISCOVERY_H
#define CLIENT_DISCOVERY_H

#include "engine/req.h"

/* For every door that HTTPS may stand in front of. */
extern const struct route discovery_routes[];

#endif
