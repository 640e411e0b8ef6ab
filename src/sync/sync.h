/* GET /sync and the filters it takes: what this folder serves, as rows of the client table. */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include "engine/req.h"

/* Ends with a row whose path is NULL. */
extern const struct route sync_routes[];

#endif
