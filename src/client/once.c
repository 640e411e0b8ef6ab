/* The rows of transaction ids, by user, device and scope. */
#include "client/once.h"

enum err once_find(struct hs *hs, struct req *req, struct str scope, struct str txn_id,
                   struct str *event_id)
{
    return store_get_str(hs->store, req->a, event_id, STMT_TXN_GET, "ittt", req->user,
                         req->device_id, scope, txn_id);
}

enum err once_keep(struct hs *hs, struct req *req, struct str scope, struct str txn_id,
                   struct str event_id)
{
    req->request_id = STR_ABSENT;
    return store_run(hs->store, STMT_TXN_PUT, "itttt", req->user, req->device_id, scope, txn_id,
                     event_id);
}
