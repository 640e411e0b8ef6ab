/* What other servers tell of rooms that ours is not in, for the walk through a space and for the
 * summary of one room (server-server API, "Spaces"). What one request was told is kept with it. */
#ifndef CLIENT_ELSEWHERE_H
#define CLIENT_ELSEWHERE_H

#include "engine/req.h"

/* A room's summary with children_state, as far as the asking user may know of it. Either *asked:
 * the request waits, and resume calls this again; or *told is it, NULL: nobody tells. Takes
 * req->ctx. */
enum err elsewhere_room(struct hs *hs, struct req *req, struct str room_id, struct strs via,
                        resume_fn resume, struct json **told, bool *asked) MUST_USE;
/* Server names of an array, not too many. */
struct strs elsewhere_via(struct arena *a, const struct json *names);

#endif
