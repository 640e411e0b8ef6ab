/* POST createRoom (client-server API, "Creation"). */
#ifndef CLIENT_CREATE_H
#define CLIENT_CREATE_H

#include "client/access.h"

enum err create_room_post(struct hs *hs, struct req *req);

#endif
