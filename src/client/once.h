/* A transaction id in a path: what was done under it is not done again, whatever happened since. */
#ifndef CLIENT_ONCE_H
#define CLIENT_ONCE_H

#include "engine/req.h"

/* scope: what the id is of, for it counts in there alone. *event_id: what came of it, maybe empty;
 * absent: it was never asked for. */
enum err once_find(struct hs *hs, struct req *req, struct str scope, struct str txn_id,
                   struct str *event_id) MUST_USE;
/* It is done now. The answer can be made again from this, so none is kept for the request's own id.
 */
enum err once_keep(struct hs *hs, struct req *req, struct str scope, struct str txn_id,
                   struct str event_id) MUST_USE;

#endif
