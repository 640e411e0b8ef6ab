/* /_neurite: the workshop window (status as JSON; the page itself is the host's). */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "engine/req.h"

enum err status_get(struct hs *hs, struct req *req);

#endif
