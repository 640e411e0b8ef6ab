/* Answers to plain HTTP requests: the page for people, /metrics, /health, and engine.io's refusals
 * (p2p-wire 1.12). */
#ifndef RELAY_PAGE_H
#define RELAY_PAGE_H

#include "relay/relay.h"

struct page_request {
    bool is_get; /* GET or HEAD */
    struct str path;
    struct str query; /* behind the "?", still encoded */
    struct str host;  /* of the Host header; may be absent */
};

struct page {
    int status;
    const char *type;
    struct str body;
    bool has_credentials; /* engine.io's CORS: credentials allowed */
};

/* Texts live in the arena. metrics NULL: they are switched off. */
struct page page_get(struct arena *a, const struct page_request *request,
                     const struct metrics *metrics);
/* Whether an upgrade to a websocket may go on: true, and whether it wants base64. Otherwise the
 * answer is *refusal; a status of 0 means none, just end the connection. */
bool page_upgrade(struct arena *a, const struct page_request *request, bool *is_base64,
                  struct page *refusal);

#endif
