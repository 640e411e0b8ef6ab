/* Who a peer is: Noise proves its peer id, X-Matrix (server-server API, "Request Authentication")
 * repeats it in every request, and the two must agree. */
#ifndef ENGINE_PEER_AUTH_H
#define ENGINE_PEER_AUTH_H

#include "engine/req.h"

/* req->origin is the proven peer id. Sets origin_name, or a refusal: 401 M_UNAUTHORIZED. */
enum err peer_auth_check(struct hs *hs, struct req *req) MUST_USE;

#endif
