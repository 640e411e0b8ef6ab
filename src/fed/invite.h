/* Inviting users of other servers (server-server API, "Inviting to a room"). */
#ifndef FED_INVITE_H
#define FED_INVITE_H

#include "engine/remote.h"

/* req NULL: nobody waits for the outcome. */
enum err invite_remote(struct hs *hs, struct req *req, struct room *room, const struct event *ev);

#endif
