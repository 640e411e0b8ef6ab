/* The native part of the workshop window, /_neurite: the page, and what only the host knows: the
 * last lines of the log and how long commits take. The core's answers to status and metrics are
 * lengthened by it on their way out. */
#ifndef HOST_NATIVE_WINDOW_H
#define HOST_NATIVE_WINDOW_H

#include "base/buf.h"

#define WINDOW_LINES_MAX 500
#define WINDOW_COMMITS_MAX 1000 /* the last ones, of which the times are known */
#define WINDOW_ASKED_MAX                                                                           \
    64 /* requests for status or metrics under way; the oldest beyond that get less */

struct window;

struct window *window_new(void);
void window_free(struct window *w);

void window_line(struct window *w, struct str line); /* copied */
void window_commit(struct window *w, int64_t took_us);

/* Sees each request before the core does. True: it was for the page, and is answered by
 * window_page_head and window_page; the core needs not know of it. */
bool window_request(struct window *w, uint64_t id, struct str head);
struct str window_page_head(void);
struct str window_page(void);
/* Sees each answer before the client does: adds to the ones that were asked for, in out (caller's,
 * initialised); else gives bytes. */
struct str window_answer(struct window *w, uint64_t id, int status, struct str bytes,
                         struct buf *out);

#endif
