/* Who another server is: X-Matrix (server-server API, "Request Authentication") names and proves
 * it. Of a peer Noise has proven the peer id already, and the two must agree. */
#ifndef ENGINE_PEER_AUTH_H
#define ENGINE_PEER_AUTH_H

#include "engine/req.h"

/* At the peers' door, req->origin is the proven peer id. Sets origin and origin_name, or a refusal:
 * 401 M_UNAUTHORIZED. */
enum err peer_auth_check(struct hs *hs, struct req *req) MUST_USE;

/* Whose key that takes; false: the header names nobody. */
bool peer_auth_signer(const struct req *req, struct str *server, struct str *key_id);

#endif
