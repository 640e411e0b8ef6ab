/* One server after the other. */
#include "fed/ask.h"

#include "engine/call.h"
#include "engine/gate.h"
#include "fed/nearby.h"

enum { CALL_TIMEOUT_MS = 5000, SERVERS_MAX = 3 };

/* The context of a call. */
struct asked {
    uint64_t req;
    struct remote_ask *ask; /* the request's; looked at only while that waits */
    size_t tried;
};

static enum err next(struct hs *hs, const struct req *req, struct remote_ask *ask, size_t tried,
                     bool *asked);

static enum err on_answer(struct hs *hs, struct call *call, int status, struct json *body,
                          const char *why)
{
    const struct asked *asked = call->ctx;
    struct req *req = gate_find(hs, asked->req);
    bool goes_on = false;
    (void)why;
    if (req == NULL) {
        return ERR_NONE;
    }
    struct remote_ask *ask = asked->ask;
    ask->answer = status == 200 && json_is(body, JSON_OBJECT) ? json_copy(req->a, body) : NULL;
    if (ask->answer == NULL) {
        TRY(next(hs, req, ask, asked->tried, &goes_on));
    }
    if (goes_on) {
        return ERR_NONE;
    }
    TRY(ask->resume(hs, req, false));
    return req->reply.status == 0 ? ERR_NONE : gate_finish(hs, req);
}

static enum err next(struct hs *hs, const struct req *req, struct remote_ask *ask, size_t tried,
                     bool *asked)
{
    while (tried < ask->servers.n && (str_eq(ask->servers.at[tried], hs->identity.server) ||
                                      !call_is_possible(hs, ask->servers.at[tried]))) {
        tried++;
    }
    *asked = tried < ask->servers.n && tried < SERVERS_MAX;
    if (!*asked) {
        return ERR_NONE;
    }
    struct call *call = call_new(hs, ask->servers.at[tried], on_answer);
    struct asked *context = ARENA_NEW(call->a, struct asked);
    *context = (struct asked){req->id, ask, tried + 1};
    call->ctx = context;
    return call_send(hs, call, "GET", ask->path, NULL, CALL_TIMEOUT_MS);
}

enum err ask_remote(struct hs *hs, struct req *req, struct remote_ask *ask, bool *asked)
{
    ask->answer = NULL;
    if (ask->room != 0) {
        TRY(nearby_servers(hs, req->a, ask->room, &ask->servers));
    }
    TRY(next(hs, req, ask, 0, asked));
    return *asked ? req_park(req, ask->resume, -1, false) : ERR_NONE;
}
