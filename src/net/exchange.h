/* One HTTP/1.1 request and its answer on one stream of a peer, protocol "/http/1.1".
 *
 * Reads only: the conn that owns the exchange writes what it is told to. Our calls send the
 * negotiation and the request at once, without waiting for the peer to agree. */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "http/reader.h"
#include "net/multistream.h"

enum exchange_kind {
    EXCHANGE_CALL,  /* ours: an answer is read */
    EXCHANGE_SERVE, /* the peer's: a request is read */
};

enum exchange_state {
    EXCHANGE_NEGOTIATES,
    EXCHANGE_READS,
    EXCHANGE_DONE, /* head and body are complete */
    EXCHANGE_FAILED,
};

struct exchange {
    enum exchange_kind kind;
    enum exchange_state state;
    uint64_t id;     /* of the call, or of the request as the engine sees it */
    uint32_t stream; /* of yamux */
    int64_t begun_ms;
    const char *why; /* of a failure */
    struct http_reader http;
    struct multistream multistream;
};

/* out gets the start of the negotiation. */
struct exchange *exchange_new(enum exchange_kind kind, uint64_t id, struct buf *out);
void exchange_free(struct exchange *e); /* NULL is allowed */

/* Takes bytes of the stream in any pieces; out gets answers of the negotiation. Bytes behind a
 * complete message are dropped. */
enum exchange_state exchange_feed(struct exchange *e, struct str bytes, struct buf *out);
/* The peer will send no more. Leaves EXCHANGE_DONE or EXCHANGE_FAILED. */
enum exchange_state exchange_end(struct exchange *e);

#endif
