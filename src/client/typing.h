/* Typing notices and presence (client-server API, "Typing notifications", "Presence"). */
#ifndef CLIENT_TYPING_H
#define CLIENT_TYPING_H

#include "client/access.h"

enum err typing_put(struct hs *hs, struct req *req);   /* /rooms/{}/typing/{user} */
enum err presence_get(struct hs *hs, struct req *req); /* /presence/{user}/status */
enum err presence_put(struct hs *hs, struct req *req);

#endif
