/* /_neurite: the workshop window (status as JSON; the page itself is the host's). */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "engine/req.h"

/* What the status page shows of the core, as an object. */
enum err status_facts(struct hs *hs, struct arena *a, struct json **out) MUST_USE;
enum err status_get(struct hs *hs, struct req *req);

#endif
