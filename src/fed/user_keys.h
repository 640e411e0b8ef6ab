/* End-to-end keys for other servers (server-server API, "End-to-End Encryption"). */
#ifndef FED_USER_KEYS_H
#define FED_USER_KEYS_H

#include "engine/req.h"

/* All devices, and the version of the list that m.device_list_update speaks of. */
enum err user_devices_get(struct hs *hs, struct req *req);
enum err user_keys_query_post(struct hs *hs, struct req *req); /* /user/keys/query */
enum err user_keys_claim_post(struct hs *hs, struct req *req); /* /user/keys/claim */

#endif
