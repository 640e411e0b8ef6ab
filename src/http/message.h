/* Requests and replies, parsed and built, wherever they come from: a client's fetch, a peer's
 * stream. The bytes are parsed by picohttpparser (parse.c). */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "base/limits.h"
#include "json/json.h"

enum http_method {
    HTTP_GET = 1,
    HTTP_PUT = 2,
    HTTP_POST = 4,
    HTTP_DELETE = 8,
    HTTP_OPTIONS = 16,
    HTTP_HEAD_METHOD = 32,
    HTTP_OTHER = 64,
};

struct http_header {
    struct str name, value;
};

struct http_head {
    struct str method_text;
    enum http_method method;
    struct str target; /* as on the wire: path and query, still encoded */
    struct str path;   /* target before '?' */
    struct str query;  /* after '?', encoded; absent without one */
    int status;        /* of an answer */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t n_headers;
};

/* A request head through its empty line. Returns bytes used, 0: more needed, -1: malformed or over
 * HTTP_HEAD_MAX. Everything in out borrows from bytes. */
long http_parse_request(struct str bytes, struct http_head *out);
/* The same for an answer's head; an empty reason phrase is fine. */
long http_parse_answer(struct str bytes, struct http_head *out);
/* First header of that name, case-insensitively; absent when there is none. */
struct str http_header(const struct http_head *head, struct str name);
/* The last one, which is the nearest proxy's where each adds a line of its own. */
struct str http_header_last(const struct http_head *head, struct str name);

/* How a peer's body is framed (RFC 9112 section 6.3). */
struct http_body {
    enum { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_END } framing;
    uint64_t left; /* of HTTP_BODY_LENGTH */
    void *chunked; /* decoder state, in the arena given to http_body_start */
    bool done;
};
/* False: contradictory framing headers, or a length over body_max; the stream must be refused. */
bool http_body_start(struct http_body *body, struct arena *a, const struct http_head *head,
                     bool is_answer, size_t body_max);
/* Takes bytes, appends decoded ones to out, says how many were used; -1: malformed or out is full.
 */
long http_body_feed(struct http_body *body, struct str bytes, struct buf *out);
/* The stream ended: true if the body is complete. */
bool http_body_end(struct http_body *body);

/* The first value of key in an encoded query string, decoded into the arena; absent when missing
 * or badly escaped. */
struct str http_query(struct arena *a, struct str query, struct str key);
/* Every value of key, at most HTTP_QUERY_MAX. */
struct strs http_query_all(struct arena *a, struct str query, struct str key);
/* "OK", "Not Found", ...: the phrase for a status line. */
const char *http_reason(int status);

#endif
