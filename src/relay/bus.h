/* What relays of one cluster say to each other: the words and their bytes. Whatever carries them
 * keeps the order of what one relay says, loses some of it now and then, and never sends back what
 * a relay said itself (NATS does so).
 *
 *   1 byte  version      1 byte  word        16 bytes  the relay that speaks
 *   varint  sequence     varint  number      varint    flags          then the word's own bytes
 */
#ifndef RELAY_BUS_H
#define RELAY_BUS_H

#include "base/buf.h"

enum { SITE_ID_SIZE = 16 };

/* To all, or to one of them: then sequence counts them, so that a loss is seen. */
enum bus_word {
    BUS_HELLO,  /* all: I am here; number: the changes of my addresses so far */
    BUS_BYE,    /* all: I end */
    BUS_PEERS,  /* all: one change of my addresses; number: which one */
    BUS_ASK,    /* one: say all of your addresses */
    BUS_ROSTER, /* one: some of them; number as in hello */
    BUS_DIAL,   /* one: three texts: from, to, id; number: the new call's */
    BUS_FRAME,  /* one: of a call, what a websocket would carry */
    BUS_GRANT,  /* one: of a call, a varint: so many bytes of frames are passed on */
    BUS_END,    /* one: of a call, its end */
    BUS_CUT,    /* one: words were lost; all calls between us are over */
    BUS_WORDS,
};

enum bus_flag {
    BUS_YOURS = 1,  /* the call's number is the receiver's, not the speaker's */
    BUS_BINARY = 2, /* of a frame; else it is text */
    BUS_FIRST = 4,  /* of a roster's parts */
    BUS_LAST = 8,
};

struct bus_message {
    enum bus_word word;
    struct str site; /* SITE_ID_SIZE bytes */
    uint64_t sequence, number, flags;
    struct str rest;
};

void bus_write(struct buf *out, const struct bus_message *message);
/* Borrows. ERR_SYNTAX: not of this version or not whole. */
enum err bus_read(struct str bytes, struct bus_message *out) MUST_USE;

/* Parts of a word's own bytes. */
void bus_add_text(struct buf *out, struct str text);
enum err bus_take_number(struct str *rest, uint64_t *out) MUST_USE;
enum err bus_take_text(struct str *rest, struct str *out) MUST_USE;

#endif
