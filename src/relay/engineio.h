/* engine.io 3 over a websocket: one message is one packet, its type in front (p2p-wire 1.3). */
#ifndef RELAY_ENGINEIO_H
#define RELAY_ENGINEIO_H

#include "relay/frame.h"
#include "relay/limits.h"

enum engineio_kind {
    ENGINEIO_OPEN,
    ENGINEIO_CLOSE,
    ENGINEIO_PING,
    ENGINEIO_PONG,
    ENGINEIO_MESSAGE,
    ENGINEIO_UPGRADE,
    ENGINEIO_NOOP,
    ENGINEIO_IGNORE, /* an unknown or empty binary packet */
    ENGINEIO_BAD,    /* an unknown or empty text packet: the connection ends */
};

struct engineio_packet {
    enum engineio_kind kind;
    bool is_binary; /* the data are bytes: a binary message, or base64 in a text one */
    struct str data;
};

enum { ENGINEIO_SID_BYTES = 15 };

/* Data are borrowed from the message, or made in the arena for base64. */
struct engineio_packet engineio_read(struct arena *a, const struct frame *message);
/* The first packet that a server sends. sid: text that nobody can guess. can_upgrade: it may become
 * a websocket. The limits say how often the client pings. */
struct frame *engineio_open(struct arena *a, struct str sid, bool can_upgrade,
                            const struct limits *limits) MUST_USE;
/* The same message for a client that asked for "b64=1": a binary one becomes text, a text one comes
 * back as it is. The result is one reference. */
struct frame *engineio_base64(struct arena *a, struct frame *message) MUST_USE;

#endif
