/* How the relay waits for its sockets: by epoll, whose cost follows those that have something to
 * say. libwebsockets alone waits by poll, and asks each socket at each wake-up. */
#ifndef RELAY_LOOP_H
#define RELAY_LOOP_H

#include "base/base.h"

#include <libwebsockets.h>

struct loop;

/* Release with loop_free(), after the context that it was lent to. */
struct loop *loop_new(void);

/* Has the context that info will make wait by this loop; false: the system has no epoll. The
 * context is refused where libwebsockets' plugin for libev is not installed. */
bool loop_lend(struct loop *loop, struct lws_context_creation_info *info);

/* Waits until something happens, and handles all that has. */
void loop_turn(struct loop *loop);

void loop_free(struct loop *loop);

#endif
