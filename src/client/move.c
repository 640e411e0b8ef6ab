/* The mark of an export. */
#include "client/move.h"

enum err move_post(struct hs *hs, struct req *req)
{
    if (!str_is_empty(hs->settings.admin_token)) {
        return reply_forbidden(req, "here it is on the command line: neurite export");
    }
    struct str when = arena_fmt(req->a, "%lld", (long long)hs->now.unix_ms);
    TRY(store_meta_put(hs->store, "moved", when));
    hs_log(hs, LOG_INFO, "this homeserver is exported and runs here no more");
    return reply_empty(req);
}
