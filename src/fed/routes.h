/* The server-server API as a table, the tasks of joining and fetching, and the destinations. */
#ifndef FED_ROUTES_H
#define FED_ROUTES_H

#include "engine/remote.h"

/* Ends with a row whose path is NULL. */
extern const struct route fed_routes[];
extern const struct remote fed_remote;

#endif
