/* E-mail addresses and phone numbers: this homeserver has none, and says so. */
#ifndef CLIENT_THREEPID_H
#define CLIENT_THREEPID_H

#include "engine/req.h"

enum err threepids_get(struct hs *hs, struct req *req);
/* 403 M_THREEPID_DENIED, for whatever would add one or send a message to one. */
enum err threepid_deny(struct hs *hs, struct req *req);
/* After it the address is not bound, as before. */
enum err threepid_drop_post(struct hs *hs, struct req *req);

#endif
