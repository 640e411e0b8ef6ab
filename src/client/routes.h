/* The client-server API as a table; handlers stand in the file of their noun. */
#ifndef CLIENT_ROUTES_H
#define CLIENT_ROUTES_H

#include "engine/req.h"

/* Ends with a row whose path is NULL. */
extern const struct route client_routes[];

#endif
