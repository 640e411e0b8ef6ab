/* POST /knock/{room id or alias} (client-server API, "Knocking on rooms"). */
#ifndef CLIENT_KNOCK_H
#define CLIENT_KNOCK_H

#include "engine/req.h"

enum err knock_post(struct hs *hs, struct req *req);

#endif
