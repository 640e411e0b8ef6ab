/* multistream-select 1.0: two sides agree on a protocol by name.
 *
 * A message is a varint length and that many bytes of text, the last one a newline. Both sides
 * begin with "/multistream/1.0.0"; the initiator proposes one protocol, the listener repeats it or
 * says "na". We propose a single protocol, so a "na" ends it. */
#ifndef NET_MULTISTREAM_H
#define NET_MULTISTREAM_H

#include "base/buf.h"
#include "base/limits.h"

enum multistream_state {
    MULTISTREAM_HEADER, /* the other side's header is awaited */
    MULTISTREAM_PROTOCOL,
    MULTISTREAM_AGREED,
    MULTISTREAM_FAILED,
};

enum { MULTISTREAM_PROPOSALS_MAX = 16 };

struct multistream {
    enum multistream_state state;
    bool is_initiator;
    unsigned proposals;  /* seen by a listener */
    struct str protocol; /* our one protocol, e.g. "/noise"; must outlive the negotiation */
    unsigned char message[MULTISTREAM_MESSAGE_MAX + 2];
    size_t n;
};

/* Writes our header and, as the initiator, the proposal. */
void multistream_start(struct multistream *m, bool is_initiator, struct str protocol,
                       struct buf *out);
/* Takes bytes off the front of *in, never more than the negotiation needs: what is left when the
 * state is MULTISTREAM_AGREED belongs to the protocol. Answers are appended to out. ERR_SYNTAX or
 * ERR_LIMIT: malformed; ERR_REFUSED: no protocol in common. Both leave MULTISTREAM_FAILED. */
enum err multistream_feed(struct multistream *m, struct str *in, struct buf *out) MUST_USE;

#endif
