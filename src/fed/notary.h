/* Keys of servers: our own, and those of others that we vouch for (server-server API, "Retrieving
 * server keys"). */
#ifndef FED_NOTARY_H
#define FED_NOTARY_H

#include "engine/req.h"

enum err server_keys_get(struct hs *hs, struct req *req);
/* The notary: of one server, and of several. Others are asked, so the answer is always fresh; a
 * server that does not answer, or whose answer is not signed by itself, is left out. */
enum err server_keys_of_get(struct hs *hs, struct req *req);
enum err server_keys_post(struct hs *hs, struct req *req);

#endif
