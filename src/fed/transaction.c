/* Transactions: each once, a result for each PDU. */
#include "fed/transaction.h"

#include "engine/edu_in.h"
#include "fed/destination.h"
#include "fed/incoming.h"
#include "fed/resync.h"

/* So many answers are kept for repeats: a server repeats its last one or two. They are counted, not
 * timed, since a clock that jumps would forget them all. */
enum { KEPT_OF_SERVER = 64, KEPT = 65536 };

struct edu_row {
    const char *type;
    enum err (*receive)(struct hs *hs, struct str origin, const struct json *content);
};

static const struct edu_row edu_rows[] = {
    {"m.typing", typing_receive},
    {"m.receipt", receipt_receive},
    {"m.presence", presence_receive},
    {"m.direct_to_device", to_device_receive},
    {"m.device_list_update", resync_device_list},
    {"m.signing_key_update", resync_signing_key},
};

/* With scratch memory of its own: fifty events that each load large states would fill the turn's.
 */
static enum err take_pdu(struct hs *hs, struct req *req, const struct json *pdu, struct str *id,
                         const char **fault)
{
    struct arena *turn = hs->turn;
    hs->turn = arena_new();
    enum err err = incoming_pdu(hs, req->origin, json_copy(req->a, pdu), id, fault);
    if (err == ERR_NONE) {
        *id = arena_str(req->a, *id);
        *fault = *fault == NULL ? NULL : arena_str(req->a, str_of(*fault)).p;
    }
    arena_free(hs->turn);
    hs->turn = turn;
    return err;
}

static enum err take_pdus(struct hs *hs, struct req *req, struct json *results)
{
    const struct json *pdus = json_get_array(req->body, "pdus");
    for (const struct json *p = json_first(pdus); p != NULL; p = json_next(p)) {
        struct str id;
        const char *fault;
        TRY(take_pdu(hs, req, p, &id, &fault));
        if (id.p == NULL) {
            hs_log(hs, LOG_INFO, "a PDU of %.*s has no form: %s", STR_ARG(req->origin), fault);
            continue;
        }
        struct json *result = json_put_object(results, id);
        if (fault != NULL) {
            json_put_text(result, "error", str_of(fault));
        }
    }
    return ERR_NONE;
}

static enum err take_edus(struct hs *hs, struct req *req)
{
    const struct json *edus = json_get_array(req->body, "edus");
    for (const struct json *e = json_first(edus); e != NULL; e = json_next(e)) {
        struct str type = json_get_text(e, "edu_type");
        const struct json *content = json_get_object(e, "content");
        for (size_t i = 0; i < COUNT_OF(edu_rows); i++) {
            if (content != NULL && str_eq(type, str_of(edu_rows[i].type))) {
                TRY(edu_rows[i].receive(hs, req->origin, content));
            }
        }
    }
    return ERR_NONE;
}

enum err transaction_put(struct hs *hs, struct req *req)
{
    struct str before;
    struct json *out = json_object(req->a);
    struct json *results = json_put_object(out, STR("pdus"));
    destinations_heard(hs, req->origin);
    resyncs_seen(hs, req->origin);
    if (json_count(json_get_array(req->body, "pdus")) > TRANSACTION_PDUS_MAX ||
        json_count(json_get_array(req->body, "edus")) > TRANSACTION_EDUS_MAX) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "a transaction has at most %d PDUs and %d EDUs", TRANSACTION_PDUS_MAX,
                           TRANSACTION_EDUS_MAX);
    }
    TRY(store_get_str(hs->store, req->a, &before, STMT_INBOUND_GET, "it", req->origin_name,
                      req->params[0]));
    if (before.p != NULL) {
        req->reply.status = 200;
        req->reply.text = before;
        return ERR_NONE;
    }
    TRY(take_pdus(hs, req, results));
    TRY(take_edus(hs, req));
    TRY(store_run(hs->store, STMT_INBOUND_PUT, "itt", req->origin_name, req->params[0],
                  json_str(req->a, out)));
    TRY(store_run(hs->store, STMT_INBOUND_FORGET_OF, "ii", req->origin_name,
                  (int64_t)KEPT_OF_SERVER));
    TRY(store_run(hs->store, STMT_INBOUND_FORGET, "i", (int64_t)KEPT));
    return reply_json(req, out);
}
