/* What the server says of itself: versions, capabilities, and what it does not have. */
#ifndef CLIENT_SERVER_H
#define CLIENT_SERVER_H

#include "engine/req.h"

enum err versions_get(struct hs *hs, struct req *req);
enum err policy_server_get(struct hs *hs, struct req *req); /* .well-known: our key as one */
enum err capabilities_get(struct hs *hs, struct req *req);
enum err turn_server_get(struct hs *hs, struct req *req); /* /voip/turnServer: there is none */
enum err protocols_get(struct hs *hs, struct req *req);   /* /thirdparty/protocols: none */

#endif
