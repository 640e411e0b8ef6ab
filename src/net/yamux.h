/* yamux 1.0.0: many streams over one connection, each with its own window.
 * (hashicorp/yamux spec.md; libp2p specs "yamux".)
 *
 * The machine is fed with what the peer sent and pulled for what we have to say, so the transport
 * below decides when and how much leaves. Frames are 12-byte headers, and bodies for data:
 * version 0, type, flags, stream id, length. Ids of the dialer's streams are odd. */
#ifndef NET_YAMUX_H
#define NET_YAMUX_H

#include "base/buf.h"
#include "base/limits.h"

struct yamux;

/* Called from yamux_feed only. user is what opened returned, or yamux_open was given. The functions
 * of this header may be called from within, except yamux_feed and yamux_free. */
struct yamux_calls {
    void *ctx;
    void *(*opened)(void *ctx, uint32_t id); /* by the peer; NULL refuses it (reset) */
    void (*data)(void *ctx, void *user, struct str bytes); /* never empty */
    void (*ended)(void *ctx, void *user);                  /* the peer will send no more */
    void (*reset)(void *ctx, void *user);                  /* the stream is gone, both ways */
};

struct yamux *yamux_new(bool is_dialer, const struct yamux_calls *calls);
void yamux_free(struct yamux *y); /* calls nothing back; NULL is allowed */

/* Takes bytes in any pieces. An error ends the session: a protocol error, or more than the limits
 * allow; one more yamux_pull then yields the GoAway. */
enum err yamux_feed(struct yamux *y, struct str bytes, int64_t now_ms) MUST_USE;

/* Appends frames to out, at most `max` bytes; false when there was nothing to say. */
bool yamux_pull(struct yamux *y, struct buf *out, size_t max);
bool yamux_has_output(const struct yamux *y);

/* A new stream of ours: its id, or 0 when there are YAMUX_STREAMS_MAX or the session is ending. */
uint32_t yamux_open(struct yamux *y, void *user);
/* The four below ignore ids of streams that are gone. */
/* Queues bytes (copied). They leave as the peer's window allows. ERR_LIMIT over YAMUX_QUEUE_MAX. */
enum err yamux_write(struct yamux *y, uint32_t id, struct str bytes) MUST_USE;
void yamux_end(struct yamux *y, uint32_t id);   /* half close, behind what is queued */
void yamux_reset(struct yamux *y, uint32_t id); /* drops what is queued */
/* The user is done with n bytes that `data` gave: the peer may send as many more. */
void yamux_consume(struct yamux *y, uint32_t id, size_t n);

/* Nobody waits for this stream any more: nothing is called back for it, what the peer still sends
 * is dropped, what is queued still leaves. yamux_tidy resets those that the peer never ends. */
void yamux_forget(struct yamux *y, uint32_t id, int64_t now_ms);
void yamux_tidy(struct yamux *y, int64_t now_ms);

/* A ping, one at a time; its answer sets the round-trip time. */
void yamux_ping(struct yamux *y, int64_t now_ms);
bool yamux_is_ping_open(const struct yamux *y);
int64_t yamux_rtt_ms(const struct yamux *y); /* -1: not known yet */

void yamux_go_away(struct yamux *y);             /* says that we end; no new streams after it */
bool yamux_is_going_away(const struct yamux *y); /* either side said so */
size_t yamux_stream_count(const struct yamux *y);
size_t yamux_queued(const struct yamux *y); /* bytes that wait for windows and room */

#endif
