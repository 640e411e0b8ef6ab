/* One client's connection as bytes: what arrives becomes whole HTTP/1.1 requests, answers become
 * bytes. No sockets in here; sockets.h moves the bytes.
 *
 * One request is open at a time; bytes that come behind it wait, and conn_wants_bytes says when the
 * peer must be made to wait too. What is no proper request is answered here (400, 413, 431) in the
 * form clients expect of a Matrix server. */
#ifndef HOST_NATIVE_CONN_H
#define HOST_NATIVE_CONN_H

#include "base/limits.h"
#include "base/str.h"

/* Largest run of bytes conn_feed takes. */
#define CONN_FEED_MAX (64 * 1024)

struct conn;

struct conn *conn_new(void);
void conn_free(struct conn *conn);

/* Takes n <= CONN_FEED_MAX bytes. Only while conn_wants_bytes. */
void conn_feed(struct conn *conn, struct str bytes);
bool conn_wants_bytes(const struct conn *conn);

/* True when a whole request is there: head through its empty line as on the wire, body decoded.
 * Both are borrowed until the next call; the request is open until conn_answer. Call again until
 * false after each conn_feed and each conn_answer. */
bool conn_next(struct conn *conn, struct str *head, struct str *body);
bool conn_is_open(const struct conn *conn); /* a request waits for its answer */

/* Ends the open request. head: "name: value\r\n" lines without content-length. */
void conn_answer(struct conn *conn, int status, struct str head, struct str body);

/* Bytes to send now, borrowed; empty when there are none. conn_sent drops the first n of them. */
struct str conn_unsent(const struct conn *conn);
void conn_sent(struct conn *conn, size_t n);

enum conn_ending {
    CONN_STAYS,
    CONN_LINGERS, /* said, but the peer may still be sending: end our direction and read on, or a
                     reset would overtake the refusal (RFC 9112 section 9.6) */
    CONN_OVER,    /* close */
};
enum conn_ending conn_ending(const struct conn *conn);

/* Seconds without progress after which to close; 0: never (the answer is awaited). *is_new: the
 * time starts over; a head has its time once, however slowly its bytes come. Call after events. */
int conn_patience_s(struct conn *conn, bool *is_new);

#endif
