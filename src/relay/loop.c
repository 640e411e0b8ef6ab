/* libwebsockets' plugin for libev, on a loop of our own: turned once at a time, so that the server
 * decides after each turn whether it goes on. */
#include "relay/loop.h"

#include <ev.h>

struct loop {
    struct ev_loop *ev;
    void *of_threads[1]; /* libwebsockets wants a list, with a loop for each of its threads */
};

struct loop *loop_new(void)
{
    struct loop *loop = base_alloc(sizeof(*loop));
    loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    loop->of_threads[0] = loop->ev;
    return loop;
}

bool loop_lend(struct loop *loop, struct lws_context_creation_info *info)
{
    info->options |= LWS_SERVER_OPTION_LIBEV;
    info->foreign_loops = loop->of_threads;
    return loop->ev != NULL;
}

void loop_turn(struct loop *loop)
{
    (void)ev_run(loop->ev, EVRUN_ONCE);
}

void loop_free(struct loop *loop)
{
    if (loop->ev != NULL) {
        ev_loop_destroy(loop->ev);
    }
    base_free(loop);
}
