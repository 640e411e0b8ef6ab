/* What the user shall be told, in order, once nothing is in the middle of work. */
#include "net/state.h"

#include <string.h>

enum { TEXT_MAX = 512 };

static struct event *event_add(struct net *net, enum event_kind kind, uint64_t id)
{
    struct event *e = base_alloc(sizeof(*e));
    e->kind = kind;
    e->id = id;
    buf_init(&e->text, TEXT_MAX);
    if (net->last_event == NULL) {
        net->first_event = e;
    } else {
        net->last_event->next = e;
    }
    net->last_event = e;
    net->n_events++;
    return e;
}

void event_seen(struct net *net, const struct peer *peer, struct str address)
{
    struct event *e = event_add(net, EVENT_SEEN, 0);
    memcpy(e->peer, peer->id, sizeof(e->peer));
    buf_add(&e->text, address);
}

void event_gone(struct net *net, const struct peer *peer)
{
    struct event *e = event_add(net, EVENT_GONE, 0);
    memcpy(e->peer, peer->id, sizeof(e->peer));
}

void event_request(struct net *net, const struct peer *peer, uint64_t id)
{
    struct event *e = event_add(net, EVENT_REQUEST, id);
    memcpy(e->peer, peer->id, sizeof(e->peer));
}

void event_answer(struct net *net, uint64_t id, struct exchange *exchange, struct str why)
{
    struct event *e = event_add(net, EVENT_ANSWER, id);
    e->exchange = exchange;
    buf_add(&e->text, str_sub(why, 0, TEXT_MAX));
}

static void event_free(struct event *e)
{
    exchange_free(e->exchange);
    buf_release(&e->text);
    base_free(e);
}

static void tell_request(struct net *net, const struct event *e, struct str peer_id)
{
    for (size_t i = 0; i < net->n_lines; i++) {
        const struct conn *c = net->lines[i]->conn;
        const struct exchange *request = c == NULL ? NULL : conn_request(c, e->id);
        if (request != NULL) {
            net->self.calls.request(net->self.calls.ctx, e->id, peer_id, &request->http.head,
                                    buf_str(&request->http.body));
            return;
        }
    }
}

static void tell(struct net *net, const struct event *e)
{
    const struct net_calls *calls = &net->self.calls;
    struct str peer_id = str_make(e->peer, ADDR_ID_SIZE);
    struct str text = buf_str(&e->text);
    switch (e->kind) {
    case EVENT_SEEN:
        calls->peer_seen(calls->ctx, peer_id, text);
        break;
    case EVENT_GONE:
        calls->peer_gone(calls->ctx, peer_id);
        break;
    case EVENT_REQUEST:
        tell_request(net, e, peer_id);
        break;
    case EVENT_ANSWER:
        if (e->exchange != NULL) {
            calls->answer(calls->ctx, e->id, e->exchange->http.head.status, STR(""),
                          &e->exchange->http.head, buf_str(&e->exchange->http.body));
        } else {
            calls->answer(calls->ctx, e->id, 0, text, NULL, STR(""));
        }
        break;
    }
}

bool events_tell(struct net *net)
{
    size_t n = net->n_events; /* what is added meanwhile waits for the next round */
    for (size_t i = 0; i < n && net->first_event != NULL; i++) {
        struct event *e = net->first_event;
        net->first_event = e->next;
        if (net->first_event == NULL) {
            net->last_event = NULL;
        }
        net->n_events--;
        tell(net, e);
        event_free(e);
    }
    return n > 0;
}

void events_release(struct net *net)
{
    while (net->first_event != NULL) {
        struct event *e = net->first_event;
        net->first_event = e->next;
        event_free(e);
    }
}
