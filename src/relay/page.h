/* Answers to plain HTTP requests: the page for people, /metrics, /health, engine.io's refusals, and
 * which requests are long polling (p2p-wire 1.12). */
#ifndef RELAY_PAGE_H
#define RELAY_PAGE_H

#include "relay/relay.h"

enum page_method { PAGE_GET, PAGE_HEAD, PAGE_POST, PAGE_OPTIONS, PAGE_OTHER };

/* What the request's "sid" names. */
enum page_sid { SID_NONE, SID_UNKNOWN, SID_POLLING, SID_UPGRADED };

struct page_request {
    enum page_method method;
    struct str path;
    struct str query; /* behind the "?", still encoded */
    struct str host;  /* of the Host header; may be absent */
    enum page_sid sid;
};

/* What becomes of a request. */
enum page_then {
    PAGE_ANSWER, /* the page is its answer */
    PAGE_OPEN,   /* it opens a session of long polling */
    PAGE_POLL,   /* it waits for what the session has */
    PAGE_DATA,   /* its body is for the session */
};

struct page {
    enum page_then then;
    int status;
    const char *type;
    struct str body;
    bool has_credentials; /* engine.io's CORS: credentials allowed */
    bool is_preflight;    /* wants the headers of an OPTIONS answer */
};

/* Texts live in the arena. metrics NULL: they are switched off. */
struct page page_get(struct arena *a, const struct page_request *request,
                     const struct metrics *metrics);
/* Whether an upgrade to a websocket may go on: true. Otherwise the answer is *refusal; a status of
 * 0 means none, just end the connection. */
bool page_upgrade(struct arena *a, const struct page_request *request, struct page *refusal);
/* The query's "sid"; empty or absent: none. */
struct str page_sid(const struct page_request *request);
/* Whether the query asks for binary packets as base64. */
bool page_is_base64(const struct page_request *request);

#endif
