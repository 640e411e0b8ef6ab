/* The facts of the status page. */
#include "client/status.h"

#include "engine/gate.h"
#include "engine/status_net.h"

static enum err put_outbox(struct hs *hs, struct arena *a, struct json *out)
{
    struct query q;
    struct json *outbox = json_put_object(out, STR("outbox"));
    query_start(&q, hs->store, STMT_OUTBOX_DEPTHS, "");
    while (query_next(&q)) {
        json_put_int(outbox, query_str(&q, a, 0).p, query_int(&q, 1));
    }
    return query_end(&q);
}

enum err status_facts(struct hs *hs, struct arena *a, struct json **facts)
{
    struct json *out = json_object(a);
    int64_t size = 0;
    int64_t accounts = 0;
    TRY(store_size(hs->store, &size));
    TRY(store_get_int(hs->store, &accounts, 0, STMT_ACCOUNT_COUNT, ""));
    json_put_text(out, "server_name", hs->identity.server);
    json_put_text(out, "peer_id", hs->identity.peer_id);
    json_put_text(out, "build", hs->settings.build_id);
    json_put_int(out, "uptime_ms", hs->now.mono_ms - hs->started.mono_ms);
    json_put_int(out, "database_bytes", size);
    json_put_int(out, "accounts", accounts);
    json_put_int(out, "parked", (int64_t)gate_parked_count(hs));
    json_put_int(out, "position", store_position(hs->store));
    json_put_bool(out, "read_only", hs->settings.read_only);
    status_net_put(hs, a, out);
    *facts = out;
    return put_outbox(hs, a, out);
}

enum err status_get(struct hs *hs, struct req *req)
{
    struct json *facts;
    TRY(status_facts(hs, req->a, &facts));
    return reply_json(req, facts);
}
