/* What guests may ask (client-server API, "Guest access"). */
#ifndef ENGINE_GUEST_H
#define ENGINE_GUEST_H

#include "engine/req.h"

bool guest_may(const struct req *req);

#endif
