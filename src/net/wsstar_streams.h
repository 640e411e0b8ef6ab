/* The byte streams over one relay, those that we dialled and those that others did. Private to
 * wsstar.c; what users of a stream call (wsstar_write, wsstar_end, ...) is in wsstar.h. */
#ifndef NET_WSSTAR_STREAMS_H
#define NET_WSSTAR_STREAMS_H

#include "net/wsstar.h"

#define STREAM_EVENTS "socket.io-pull-stream." /* how the names of their events begin */

struct wsstar_streams {
    const struct wsstar_calls *calls; /* borrowed */
    struct buf out;                   /* the message being made */
    struct wsstar_stream **list;
    size_t n, cap;
};

struct dial {
    struct str from, to; /* addresses */
    void *user;
    uint64_t ack_id; /* of its ss-dial */
    int64_t now_ms;
};

void streams_init(struct wsstar_streams *all, const struct wsstar_calls *calls);
void streams_release(struct wsstar_streams *all);

/* NULL: too many streams, or no address. */
struct wsstar_stream *streams_dial(struct wsstar_streams *all, const struct dial *dial);
/* An ack that is not ss-join's. */
void streams_ack(struct wsstar_streams *all, uint64_t id, const struct json *args);
/* "ss-incomming": accepted or refused. */
void streams_incoming(struct wsstar_streams *all, struct arena *scratch,
                      const struct socketio_packet *packet);
/* An event of a half; what: its name behind STREAM_EVENTS, "<verb>.<id>.<half>". */
void streams_event(struct wsstar_streams *all, const struct socketio_packet *packet,
                   struct str what);
/* The relay is gone: all end. */
void streams_down(struct wsstar_streams *all);
void streams_tick(struct wsstar_streams *all, int64_t now_ms);
int64_t streams_next_ms(const struct wsstar_streams *all); /* INT64_MAX: never */
/* Frees those that ended; nobody is inside a call from here any more. */
void streams_sweep(struct wsstar_streams *all);

#endif
