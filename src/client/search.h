/* POST /search (client-server API, "Server Side Search"). */
#ifndef CLIENT_SEARCH_H
#define CLIENT_SEARCH_H

#include "engine/req.h"

enum err search_post(struct hs *hs, struct req *req);

#endif
