/* Questions of other servers that are not about events: version, keys, directory, profiles, public
 * rooms. */
#ifndef FED_QUERY_H
#define FED_QUERY_H

#include "engine/req.h"

enum err version_get(struct hs *hs, struct req *req);
enum err server_keys_get(struct hs *hs, struct req *req);
/* Notary: our own keys only. The name of a peer is its key, so there is nothing to vouch for. */
enum err server_keys_of_get(struct hs *hs, struct req *req);
enum err server_keys_post(struct hs *hs, struct req *req);
enum err query_directory_get(struct hs *hs, struct req *req);
enum err query_profile_get(struct hs *hs, struct req *req);
enum err fed_public_rooms_get(struct hs *hs, struct req *req);
enum err fed_public_rooms_post(struct hs *hs, struct req *req);
enum err user_devices_get(struct hs *hs, struct req *req);

#endif
