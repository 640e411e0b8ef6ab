/* Shared rooms, looked up from the user's side. */
#include "engine/share.h"

#include "engine/gate.h"
#include "engine/outbox.h"

enum err share_news(struct hs *hs, int64_t user)
{
    struct query q;
    gate_news(hs, user);
    gate_room_news(hs, 0);
    query_start(&q, hs->store, STMT_MEMBER_SHARED_LOCAL, "ii", user, hs->identity.server_name);
    while (query_next(&q)) {
        gate_news(hs, query_int(&q, 0));
    }
    return query_end(&q);
}

struct servers {
    struct str *at;
    size_t n, cap;
};

static enum err servers_of(struct hs *hs, int64_t user, struct servers *out)
{
    struct query q;
    *out = (struct servers){0};
    query_start(&q, hs->store, STMT_MEMBER_SHARED_SERVERS, "i", user);
    while (query_next(&q)) {
        if (query_int(&q, 0) == hs->identity.server_name) {
            continue;
        }
        if (out->n == out->cap) {
            size_t cap = out->cap == 0 ? 16 : 2 * out->cap;
            struct str *at = arena_array(hs->turn, cap, sizeof(*at));
            for (size_t i = 0; i < out->n; i++) {
                at[i] = out->at[i];
            }
            *out = (struct servers){at, out->n, cap};
        }
        out->at[out->n] = query_str(&q, hs->turn, 1);
        out->n++;
    }
    return query_end(&q);
}

enum err share_edu(struct hs *hs, int64_t user, struct str edu_type, const struct json *content,
                   struct str key)
{
    struct servers servers;
    TRY(servers_of(hs, user, &servers));
    for (size_t i = 0; i < servers.n; i++) {
        TRY(outbox_edu_server(hs, servers.at[i], edu_type, content, key));
    }
    return ERR_NONE;
}
