/* Spaces for other servers (server-server API, "Spaces"). */
#ifndef FED_SERVE_SPACE_H
#define FED_SERVE_SPACE_H

#include "engine/req.h"

/* A room and its children, as far as the server that asks may know of them. */
enum err fed_hierarchy_get(struct hs *hs, struct req *req);

#endif
