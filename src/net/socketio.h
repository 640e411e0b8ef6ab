/* One websocket message of engine.io 3 with socket.io 4 inside, as far as websocket-star needs it:
 * the namespace "/", events, acks and binary events of one attachment.
 * (engine.io-protocol revision 3, socket.io-protocol revision 4.) */
#ifndef NET_SOCKETIO_H
#define NET_SOCKETIO_H

#include "base/limits.h"
#include "json/json.h"

enum socketio_kind {
    SOCKETIO_NOTHING, /* heard and of no further interest: pong, noop, a header, unknown types */
    SOCKETIO_OPEN,    /* args: the handshake object */
    SOCKETIO_CONNECT,
    SOCKETIO_DISCONNECT, /* or an error packet */
    SOCKETIO_EVENT,      /* name, args (all of them, [0] is the name), maybe id and attachment */
    SOCKETIO_ACK,        /* id, args */
};

struct socketio_packet {
    enum socketio_kind kind;
    bool has_id;
    uint64_t id;
    struct str name;
    const struct json *args; /* NULL for a chunk recognised without parsing: name and attachment */
    struct str attachment;   /* absent without one */
};

/* Remembers the header of a binary event between two messages. */
struct socketio {
    struct buf header;
    unsigned attachments_left; /* to come before the next packet */
    bool has_header;           /* the event is delivered with its (only) attachment */
};

void socketio_init(struct socketio *s);
void socketio_release(struct socketio *s);

/* Reads one message. The packet borrows from the message, from s (until the next call) and from the
 * arena. ERR_SYNTAX: the other side does not speak the protocol, close. */
enum err socketio_read(struct socketio *s, struct arena *a, struct str message, bool is_text,
                       struct socketio_packet *out) MUST_USE;

#endif
