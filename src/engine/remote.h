/* What the client side asks of other servers. fed/ implements it, hs/wiring.c hands it over; so
 * neither side includes the other. Each parks the request and answers it later, or replies at once
 * when nobody can be asked. */
#ifndef ENGINE_REMOTE_H
#define ENGINE_REMOTE_H

#include "engine/event_cache.h"
#include "engine/req.h"

struct public_rooms_ask;

struct backfill_ask {
    struct room *room; /* a copy: the cache may be emptied meanwhile */
    int64_t position;
    size_t limit;
    resume_fn resume;
};

enum remote_way {
    REMOTE_LOOK, /* at an alias: no more than that */
    REMOTE_JOIN,
    REMOTE_KNOCK,
};

/* A GET, asked of one server after the other until one answers 200. In the request's arena. */
struct remote_ask {
    struct strs servers; /* none: others in the room */
    int64_t room;        /* 0 with servers */
    struct str path;
    resume_fn resume;
    struct json *answer; /* filled before resume is called; NULL: nobody answered */
};

struct remote {
    /* Joins a room we are not in, or knocks there, through one of the servers, asked one after the
     * other (make_join, send_join). content: members of the member event besides membership; may
     * be NULL. */
    enum err (*enter)(struct hs *hs, struct req *req, enum remote_way way, struct str room_id,
                      struct strs servers, const struct json *content);
    /* Looks an alias up at its server, or a bare local part at every known peer; then replies
     * {room_id, servers}, or goes on to enter the room. */
    enum err (*alias)(struct hs *hs, struct req *req, struct str alias, enum remote_way way);
    /* Sends the invite event (built by us) to the server of a user elsewhere; when that server has
     * signed it, it enters the room and the request is answered {}. */
    enum err (*invite)(struct hs *hs, struct req *req, struct room *room, const struct event *ev);
    /* Leaves a room we are not in (rejects an invite, takes a knock back): make_leave, send_leave
     * at one of the servers. */
    enum err (*leave)(struct hs *hs, struct req *req, struct room *room, struct strs servers);
    /* Replies with a profile, or one field of it. */
    enum err (*profile)(struct hs *hs, struct req *req, struct str user_id, struct str field);
    /* Public rooms: a page of ours and those of every reachable peer, or of one server. ask lives
     * as long as the request. */
    enum err (*public_rooms)(struct hs *hs, struct req *req, const struct public_rooms_ask *ask,
                             struct str server);
    /* False in *asked: nobody can be asked. */
    enum err (*get)(struct hs *hs, struct req *req, struct remote_ask *ask, bool *asked);
    /* Fetches history into the newest gap at or below `position`, then resumes the request by
     * `resume`. False in *asked: there is no gap, or nobody can be asked. */
    enum err (*backfill)(struct hs *hs, struct req *req, const struct backfill_ask *ask,
                         bool *asked);
    /* Fetches a file of another server, keeps it (engine/media.h), then resumes the request. */
    enum err (*media)(struct hs *hs, struct req *req, struct str server, struct str id,
                      resume_fn resume);
};

#endif
