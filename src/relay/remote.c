/* The relay's side of remote.h. */
#include "relay/remote.h"

#include "relay/state.h"

struct conn *remote_open(struct relay *relay, struct now now, void *word)
{
    struct conn *conn = conn_make(relay, now, NULL);
    conn->socket = word;
    conn->is_remote = true;
    return conn;
}

bool conn_is_remote(const struct conn *conn)
{
    return conn->is_remote;
}

size_t conn_streams(const struct conn *conn)
{
    return map_count(&conn->streams);
}

void remote_join(struct relay *relay, struct now now, struct conn *site, struct str text,
                 int64_t stamp)
{
    struct address *address = map_get(&relay->addresses, text);
    if (address == NULL || address->stamp < stamp) {
        address = address_take(relay, now, site, text, stamp);
    }
    address->is_marked = address->is_marked || address->owner == site;
    arena_clear(relay->scratch);
}

void remote_leave(struct relay *relay, struct conn *site, struct str text)
{
    struct address *address = map_get(&relay->addresses, text);
    if (address != NULL && address->owner == site) {
        address_drop(relay, address);
    }
}

void remote_unmark(struct conn *site)
{
    struct address *address;
    TAILQ_FOREACH(address, &site->addresses, owned)
    {
        address->is_marked = false;
    }
}

void remote_sweep(struct relay *relay, struct conn *site)
{
    struct address *address = TAILQ_FIRST(&site->addresses);
    while (address != NULL) {
        struct address *next = TAILQ_NEXT(address, owned);
        if (!address->is_marked) {
            address_drop(relay, address);
        }
        address = next;
    }
}

void remote_dial(struct relay *relay, struct now now, struct conn *call, struct str from,
                 struct str to, struct str id)
{
    const struct address *address = map_get(&relay->addresses, to);
    metrics_add(&relay->metrics, METRIC_DIALS, 1);
    if (address == NULL || address->owner->is_remote) {
        star_refuse_dial(relay, call, STR("0"), "Peer not found");
    } else {
        struct dial dial = {call, address->owner, from, id, STR("0")};
        stream_dial(relay, now, &dial);
    }
    arena_clear(relay->scratch);
}

void remote_each_here(const struct relay *relay,
                      void (*fn)(void *arg, struct str address, int64_t stamp), void *arg)
{
    for (size_t i = 0; i < relay->n_list; i++) {
        const struct address *address = relay->list[i];
        if (!address->owner->is_remote) {
            fn(arg, address->text, address->stamp);
        }
    }
}
