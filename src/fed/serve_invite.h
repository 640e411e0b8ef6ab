/* Invites of our users (server-server API, "Inviting to a room", "Third-party invites"). */
#ifndef FED_SERVE_INVITE_H
#define FED_SERVE_INVITE_H

#include "engine/req.h"

enum err invite_put(struct hs *hs, struct req *req);    /* v2 */
enum err invite_v1_put(struct hs *hs, struct req *req); /* [200, {...}] */
/* exchange_third_party_invite: the invite that our user left in the room becomes that of a user. */
enum err third_party_exchange_put(struct hs *hs, struct req *req);
/* 3pid/onbind: an identity server knows whose the address is, and asks us to have it exchanged. */
enum err third_party_bound_put(struct hs *hs, struct req *req);

#endif
