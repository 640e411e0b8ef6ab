/* Asking others for our users. */
#include "fed/lookup.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/gate.h"
#include "engine/public_rooms.h"
#include "engine/user_profile.h"
#include "event/mxid.h"
#include "fed/join.h"
#include "net/link.h"

enum { CALL_TIMEOUT_MS = 10000, ASKED_MAX = 64, SERVERS_MAX = 16, CHUNKS_MAX = 5000 };

/* What several answers add up to; in the parked request's arena. */
struct gather {
    size_t open; /* answers still out */
    struct json *chunks;
    const struct public_rooms_ask *ask;
    enum remote_way way;
    bool is_found;
};

/* In the call's arena. */
struct ask {
    uint64_t req;
    struct str what;
    bool is_counted; /* taken off the open ones; an answer that fails is told a second time */
};

static struct ask *ask_new(struct call *call, const struct req *req, struct str what)
{
    struct ask *ask = ARENA_NEW(call->a, struct ask);
    *ask = (struct ask){.req = req->id, .what = arena_str(call->a, what)};
    call->ctx = ask;
    return ask;
}

static void count(struct ask *ask, struct gather *g)
{
    g->open -= !ask->is_counted;
    ask->is_counted = true;
}

/* The known peers that can be reached, at most max. */
static size_t peers(struct hs *hs, struct arena *a, struct str *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; hs->net != NULL && i < net_peer_count(hs->net) && n < max; i++) {
        out[n] = arena_str(a, net_peer_info(hs->net, i).id);
        n++;
    }
    return n;
}

/* --- aliases -------------------------------------------------------------------------------------
 */

static enum err alias_done(struct hs *hs, struct req *req, struct gather *g)
{
    if (g->open > 0 || g->is_found) {
        return ERR_NONE;
    }
    (void)reply_not_found(req, "no server that could be reached has a room with this alias");
    return gate_finish(hs, req);
}

static enum err alias_found(struct hs *hs, struct req *req, struct gather *g,
                            const struct json *body, struct str server)
{
    struct str *servers = arena_array(req->a, SERVERS_MAX, sizeof(*servers));
    struct str room_id = arena_str(req->a, json_get_text(body, "room_id"));
    size_t n = 1;
    const struct json *listed = json_get_array(body, "servers");
    servers[0] = arena_str(req->a, server);
    for (const struct json *s = json_first(listed); s != NULL && n < SERVERS_MAX;
         s = json_next(s)) {
        servers[n] = arena_str(req->a, json_text(s));
        n += servers[n].n > 0;
    }
    g->is_found = true;
    if (g->way != REMOTE_LOOK) {
        struct json *content = json_object(req->a);
        struct user_profile profile;
        enum err err = user_profile_find(hs, req->a, req->user, &profile);
        if (err != ERR_ABSENT) {
            TRY(err);
        }
        user_profile_put(content, &profile, STR_ABSENT);
        json_put_text(content, "reason", json_get_text(req->body, "reason"));
        req->reply.parked = true;
        TRY(enter_remote(hs, req, g->way, room_id, (struct strs){servers, n}, content));
        return req->reply.status == 0 ? ERR_NONE : gate_finish(hs, req);
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "room_id", room_id);
    struct json *names = json_put_array(out, STR("servers"));
    for (size_t i = 0; i < n; i++) {
        json_push_text(names, servers[i]);
    }
    (void)reply_json(req, out);
    return gate_finish(hs, req);
}

static enum err on_alias(struct hs *hs, struct call *call, int status, struct json *body,
                         const char *why)
{
    struct ask *ask = call->ctx;
    struct req *req = gate_find(hs, ask->req);
    (void)why;
    if (req == NULL || req->ctx == NULL) {
        return ERR_NONE;
    }
    struct gather *g = req->ctx;
    count(ask, g);
    if (status == 200 && !g->is_found && mxid_is_room(json_get_text(body, "room_id"))) {
        return alias_found(hs, req, g, body, call->server);
    }
    return alias_done(hs, req, g);
}

enum err lookup_alias(struct hs *hs, struct req *req, struct str alias, enum remote_way way)
{
    struct str servers[ASKED_MAX];
    struct gather *g = ARENA_NEW(req->a, struct gather);
    size_t n = 1;
    servers[0] = mxid_server(alias);
    if (servers[0].n == 0) {
        n = peers(hs, req->a, servers, ASKED_MAX);
    }
    if (n == 0 || !call_is_possible(hs, servers[0])) {
        return reply_not_found(req, "no server that could be asked for this alias is known");
    }
    g->way = way;
    req->ctx = g;
    TRY(req_park(req, NULL, -1, false));
    for (size_t i = 0; i < n; i++) {
        struct call *call = call_new(hs, servers[i], on_alias);
        (void)ask_new(call, req, alias);
        g->open++;
        struct str path =
            arena_fmt(call->a, "/_matrix/federation/v1/query/directory?room_alias=%.*s",
                      STR_ARG(percent_write(call->a, alias)));
        TRY(call_send(hs, call, "GET", path, NULL, CALL_TIMEOUT_MS));
    }
    return ERR_NONE;
}

/* --- profiles ----------------------------------------------------------------------------- */

static enum err on_profile(struct hs *hs, struct call *call, int status, struct json *body,
                           const char *why)
{
    const struct ask *ask = call->ctx;
    struct req *req = gate_find(hs, ask->req);
    int64_t user;
    (void)why;
    if (req == NULL) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    struct user_profile profile = {json_get_text(body, "displayname"),
                                   json_get_text(body, "avatar_url")};
    if (status != 200) { /* what its member events told us is better than nothing */
        TRY(store_name_find(hs->store, ask->what, &user));
        enum err err = user_profile_find(hs, req->a, user, &profile);
        if (err == ERR_ABSENT) {
            (void)reply_not_found(req, "the user's server cannot be reached, or has no such user");
            return gate_finish(hs, req);
        }
        TRY(err);
    }
    struct str field = req->n_params > 1 ? req->params[1] : STR_ABSENT;
    user_profile_put(out, &profile, field);
    (void)reply_json(req, out);
    return gate_finish(hs, req);
}

enum err lookup_profile(struct hs *hs, struct req *req, struct str user_id, struct str field)
{
    struct call *call = call_new(hs, mxid_server(user_id), on_profile);
    (void)field;
    (void)ask_new(call, req, user_id);
    TRY(req_park(req, NULL, -1, false));
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/query/profile?user_id=%.*s",
                                STR_ARG(percent_write(call->a, user_id)));
    return call_send(hs, call, "GET", path, NULL, CALL_TIMEOUT_MS);
}

/* --- the directory of every peer ---------------------------------------------------------- */

static enum err reply_page(struct hs *hs, struct req *req, const struct json *chunks,
                           const struct public_rooms_ask *ask)
{
    struct json *out;
    TRY(public_rooms_page(hs, req->a, chunks, ask, &out));
    return reply_json(req, out);
}

static enum err on_public_rooms(struct hs *hs, struct call *call, int status, struct json *body,
                                const char *why)
{
    struct ask *ask = call->ctx;
    struct req *req = gate_find(hs, ask->req);
    (void)why;
    if (req == NULL) {
        return ERR_NONE;
    }
    struct gather *g = req->ctx;
    const struct json *chunk = status == 200 ? json_get_array(body, "chunk") : NULL;
    for (const struct json *c = json_first(chunk); c != NULL; c = json_next(c)) {
        if (json_count(g->chunks) < CHUNKS_MAX && json_is(c, JSON_OBJECT)) {
            json_push(g->chunks, json_copy(req->a, c));
        }
    }
    count(ask, g);
    if (g->open > 0) {
        return ERR_NONE;
    }
    TRY(reply_page(hs, req, g->chunks, g->ask));
    return gate_finish(hs, req);
}

enum err lookup_public_rooms(struct hs *hs, struct req *req, const struct public_rooms_ask *asked,
                             struct str server)
{
    struct json *ours = NULL;
    struct str servers[ASKED_MAX];
    size_t n = 0;
    bool is_ours = str_eq(server, hs->identity.server);
    if (server.n > 0 && !is_ours && call_is_possible(hs, server)) {
        servers[0] = server;
        n = 1;
    } else if (server.n > 0 && !is_ours) {
        return reply_not_found(req, "that server cannot be reached");
    } else {
        n = peers(hs, req->a, servers, ASKED_MAX); /* the peers' rooms are one network */
    }
    if (server.n == 0 || is_ours) {
        TRY(public_rooms_ours(hs, req->a, asked, &ours));
    }
    if (n == 0) {
        return reply_page(hs, req, ours, asked);
    }
    struct gather *g = ARENA_NEW(req->a, struct gather);
    g->chunks = ours == NULL ? json_array(req->a) : ours;
    g->ask = asked;
    req->ctx = g;
    TRY(req_park(req, NULL, -1, false));
    for (size_t i = 0; i < n; i++) {
        struct call *call = call_new(hs, servers[i], on_public_rooms);
        (void)ask_new(call, req, STR(""));
        g->open++;
        TRY(call_send(hs, call, "GET", STR("/_matrix/federation/v1/publicRooms?limit=500"), NULL,
                      CALL_TIMEOUT_MS));
    }
    return ERR_NONE;
}
