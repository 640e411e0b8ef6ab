/* A visit: one client's connection as bytes: what arrives becomes whole HTTP/1.1 requests, answers
 * become bytes. No sockets in here; sockets.h moves the bytes.
 *
 * One request is open at a time; bytes that come behind it wait, and visit_wants_bytes says when
 * the peer must be made to wait too. What is no proper request is answered here (400, 413, 431) in
 * the form clients expect of a Matrix server. */
#ifndef HOST_NATIVE_VISIT_H
#define HOST_NATIVE_VISIT_H

#include "base/limits.h"
#include "base/str.h"

/* Largest run of bytes visit_feed takes. */
#define VISIT_FEED_MAX (64 * 1024)

struct visit;

/* body_max: bytes of a request's body. */
struct visit *visit_new(size_t body_max);
void visit_free(struct visit *visit);

/* Takes n <= VISIT_FEED_MAX bytes. Only while visit_wants_bytes. */
void visit_feed(struct visit *visit, struct str bytes);
bool visit_wants_bytes(const struct visit *visit);

/* True when a whole request is there: head through its empty line as on the wire, body decoded.
 * Both are borrowed until the next call; the request is open until visit_answer. Call again until
 * false after each visit_feed and each visit_answer. */
bool visit_next(struct visit *visit, struct str *head, struct str *body);
bool visit_is_open(const struct visit *visit); /* a request waits for its answer */
bool visit_is_read(const struct visit *visit); /* and it is a GET or HEAD */

/* Ends the open request. head: "name: value\r\n" lines without content-length. */
void visit_answer(struct visit *visit, int status, struct str head, struct str body);

/* Ends the open request with 431: the host has no room for what it adds to the head. */
void visit_refuse_head(struct visit *visit);

/* Bytes to send now, borrowed; empty when there are none. visit_sent drops the first n of them. */
struct str visit_unsent(const struct visit *visit);
void visit_sent(struct visit *visit, size_t n);

enum visit_ending {
    VISIT_STAYS,
    VISIT_LINGERS, /* said, but the peer may still be sending: end our direction and read on, or a
                     reset would overtake the refusal (RFC 9112 section 9.6) */
    VISIT_OVER,    /* close */
};
enum visit_ending visit_ending(const struct visit *visit);

/* Seconds without progress after which to close; 0: never (the answer is awaited). *is_new: the
 * time starts over; a head has its time once, however slowly its bytes come. Call after events. */
int visit_patience_s(struct visit *visit, bool *is_new);

#endif
