/* Account data and tags (client-server API, "Client config", "Room tagging"). */
#ifndef CLIENT_ACCOUNT_DATA_H
#define CLIENT_ACCOUNT_DATA_H

#include "client/access.h"

enum err own_data_get(struct hs *hs, struct req *req); /* /user/{}/account_data/{type} */
enum err own_data_put(struct hs *hs, struct req *req);
enum err own_room_data_get(struct hs *hs, struct req *req); /* .../rooms/{}/account_data/{type} */
enum err own_room_data_put(struct hs *hs, struct req *req);
enum err tags_get(struct hs *hs, struct req *req); /* /user/{}/rooms/{}/tags */
enum err tag_put(struct hs *hs, struct req *req);  /* .../tags/{tag} */
enum err tag_delete(struct hs *hs, struct req *req);

#endif
