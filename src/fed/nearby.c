/* Peers that are there come before those that are only known by name. */
#include "fed/nearby.h"

#include "engine/call.h"
#include "net/link.h"

enum { SERVERS_MAX = 8 };

static bool is_near(const struct hs *hs, struct str server)
{
    return hs->net != NULL && net_is_peer_known(hs->net, server);
}

enum err nearby_servers(struct hs *hs, struct arena *a, int64_t room, struct strs *out)
{
    struct query q;
    struct str *at = arena_array(a, SERVERS_MAX, sizeof(*at));
    *out = (struct strs){at, 0};
    query_start(&q, hs->store, STMT_MEMBER_SERVERS, "i", room);
    while (query_next(&q)) {
        struct str name = query_str(&q, a, 1);
        if (str_eq(name, hs->identity.server) || !call_is_possible(hs, name)) {
            continue;
        }
        size_t k = out->n < SERVERS_MAX ? out->n++ : SERVERS_MAX - 1;
        if (k == SERVERS_MAX - 1 && at[k].p != NULL && !is_near(hs, name)) {
            continue;
        }
        at[k] = name;
        for (; k > 0 && is_near(hs, at[k]) && !is_near(hs, at[k - 1]); k--) {
            at[k] = at[k - 1];
            at[k - 1] = name;
        }
    }
    return query_end(&q);
}
