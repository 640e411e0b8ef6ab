/* End-to-end keys (client-server API, "Key management API"): upload, query, claim, changes. */
#ifndef CLIENT_KEYS_H
#define CLIENT_KEYS_H

#include "engine/req.h"

enum err keys_upload_post(struct hs *hs, struct req *req);
enum err keys_query_post(struct hs *hs, struct req *req);
enum err keys_claim_post(struct hs *hs, struct req *req);

#endif
