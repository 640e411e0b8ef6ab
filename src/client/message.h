/* Sending: messages, state, redactions (client-server API, "Sending events to a room"). */
#ifndef CLIENT_MESSAGE_H
#define CLIENT_MESSAGE_H

#include "client/access.h"

enum err message_put(struct hs *hs, struct req *req);    /* /rooms/{}/send/{type}[/{txn}] */
enum err redact_put(struct hs *hs, struct req *req);     /* /rooms/{}/redact/{event}[/{txn}] */
enum err room_state_put(struct hs *hs, struct req *req); /* /rooms/{}/state/{type}[/{key}] */
enum err room_state_get(struct hs *hs, struct req *req);
enum err room_state_all_get(struct hs *hs, struct req *req);

#endif
