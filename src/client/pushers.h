/* Where a user wants to be told of news. The rows are kept; nothing is sent from here. */
#ifndef CLIENT_PUSHERS_H
#define CLIENT_PUSHERS_H

#include "engine/req.h"

enum err pushers_get(struct hs *hs, struct req *req);
enum err pushers_set_post(struct hs *hs, struct req *req);

#endif
