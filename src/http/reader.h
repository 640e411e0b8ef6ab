/* One whole HTTP/1.1 message out of bytes that come in any pieces. */
#ifndef HTTP_READER_H
#define HTTP_READER_H

#include "http/message.h"

enum http_reader_state {
    HTTP_READER_HEAD,
    HTTP_READER_BODY,
    HTTP_READER_DONE, /* head and body are complete */
    HTTP_READER_FAILED,
};

struct http_reader {
    enum http_reader_state state;
    const char *why;       /* of a failure */
    struct http_head head; /* borrows from head_bytes */
    struct buf body;

    bool is_answer;
    struct arena *arena;
    struct buf head_bytes;
    size_t scanned; /* of head_bytes, for its empty line */
    struct http_body framing;
};

/* A request (not is_answer) or an answer, with a body of at most body_max bytes. */
void http_reader_init(struct http_reader *r, bool is_answer, size_t body_max);
void http_reader_release(struct http_reader *r);
/* Takes bytes until the message is complete, and moves *bytes behind it. An answer with a status
 * below 200 is passed over: the next one counts. */
enum http_reader_state http_reader_feed(struct http_reader *r, struct str *bytes);
/* No more will come. Leaves HTTP_READER_DONE or HTTP_READER_FAILED. */
enum http_reader_state http_reader_end(struct http_reader *r);

#endif
