/* Aliases and the directory of public rooms (client-server API, "Room aliases", "Listing rooms").
 */
#ifndef CLIENT_DIRECTORY_H
#define CLIENT_DIRECTORY_H

#include "client/access.h"

enum err alias_get(struct hs *hs, struct req *req);
enum err alias_put(struct hs *hs, struct req *req);
enum err alias_delete(struct hs *hs, struct req *req);
enum err room_aliases_get(struct hs *hs, struct req *req);
enum err visibility_get(struct hs *hs, struct req *req);
enum err visibility_put(struct hs *hs, struct req *req);
enum err public_rooms_get(struct hs *hs, struct req *req);
enum err public_rooms_post(struct hs *hs, struct req *req);

#endif
