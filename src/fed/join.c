/* The task of a join, a knock or a leave: a list of residents, and one after the other until one
 * lets us in. */
#include "fed/join.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/current.h"
#include "engine/gap.h"
#include "engine/gate.h"
#include "engine/send.h"
#include "engine/snapshot.h"
#include "event/mxid.h"
#include "fed/incoming.h"
#include "fed/missing.h"
#include "fed/state_take.h"
#include "fed/stripped.h"

enum { CALL_TIMEOUT_MS = 30000, SERVERS_MAX = 16 };

static enum err joined(struct hs *hs, struct call *call, const struct json *body);
static enum err knocked(struct hs *hs, struct call *call, const struct json *body);
static enum err has_left(struct hs *hs, struct call *call, const struct json *body);

struct kind {
    const char *membership, *make, *send;
    const char *send_of_old; /* of servers that do not know that one; NULL: there was none */
    enum err (*take)(struct hs *hs, struct call *call, const struct json *body); /* the answer */
    bool is_entry; /* who comes in must know the room's version */
};

/* clang-format off */
static const struct kind kind_join = {
    "join", "v1/make_join", "v2/send_join", "v1/send_join", joined, true};
static const struct kind kind_knock = {
    "knock", "v1/make_knock", "v1/send_knock", NULL, knocked, true};
static const struct kind kind_leave = {
    "leave", "v1/make_leave", "v2/send_leave", "v1/send_leave", has_left, false};
/* clang-format on */

/* Goes from call to call; all of it lives in the call's arena. */
struct join {
    uint64_t req; /* id of the parked request */
    const struct kind *kind;
    struct str user_id, room_id;
    struct str content; /* JSON text of further members */
    struct str servers[SERVERS_MAX];
    size_t n_servers, tried;
    bool is_ahead;    /* what we said in an older stay had not all left to who was asked last */
    int64_t asked;    /* the newest position when he was asked */
    struct str event; /* what we sent, as JSON text */
    struct str version;
    bool is_of_old; /* sent by the operation's first version */
    int status;     /* of the last refusal, with its error */
    struct str errcode, error;
    struct str error_version; /* of the room, where the refusal names it */
};

static struct join *join_copy(struct arena *a, const struct join *from)
{
    struct join *to = ARENA_NEW(a, struct join);
    *to = *from;
    to->user_id = arena_str(a, from->user_id);
    to->room_id = arena_str(a, from->room_id);
    to->content = arena_str(a, from->content);
    to->event = arena_str(a, from->event);
    to->version = arena_str(a, from->version);
    to->errcode = arena_str(a, from->errcode);
    to->error = arena_str(a, from->error);
    to->error_version = arena_str(a, from->error_version);
    for (size_t i = 0; i < from->n_servers; i++) {
        to->servers[i] = arena_str(a, from->servers[i]);
    }
    return to;
}

static enum err next_server(struct hs *hs, const struct join *join);

/* What a resident says of the room our client is told in its words, but not what a client would
 * take for a word about its own session or about this server. */
static bool is_for_client(const struct join *join)
{
    static const char *const others[] = {
        "M_UNAUTHORIZED",     "M_MISSING_TOKEN", "M_UNKNOWN_TOKEN",  "M_USER_LOCKED",
        "M_USER_DEACTIVATED", "M_UNRECOGNIZED",  "M_USER_SUSPENDED", "M_CONSENT_NOT_GIVEN",
    };
    bool is = str_starts(join->errcode, STR("M_")) && (join->status == 400 || join->status == 403 ||
                                                       join->status == 404 || join->status == 429);
    for (size_t i = 0; i < COUNT_OF(others) && is; i++) {
        is = !str_eq(join->errcode, str_of(others[i]));
    }
    return is;
}

static enum err reply_room(struct hs *hs, const struct join *join);

/* What came from a room that nobody let us into. */
static enum err forget_room(struct hs *hs, const struct join *join)
{
    struct room *room;
    bool is_inside;
    enum err err = room_find(hs, join->room_id, &room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(current_is_joined(hs, room->nid, &is_inside));
    return is_inside ? ERR_NONE : missing_forget(hs, room);
}

static enum err put_left(struct hs *hs, struct room *room, struct str user_id,
                         const struct event *ev)
{
    return current_put_outside(hs, room, user_id, STR("leave"), 0,
                               stripped_end(hs, hs->turn, user_id, ev));
}

/* Nobody is left to ask. An invite is declined all the same, for us alone. */
static enum err give_up(struct hs *hs, const struct join *join)
{
    if (join->kind == &kind_leave) {
        struct room *room;
        TRY(room_find(hs, join->room_id, &room));
        TRY(put_left(hs, room, join->user_id, NULL));
        return reply_room(hs, join);
    }
    TRY(forget_room(hs, join));
    struct req *req = gate_find(hs, join->req);
    if (req == NULL) {
        return ERR_NONE;
    }
    if (is_for_client(join)) {
        (void)reply_error(req, join->status, arena_str(req->a, join->errcode).p, "%.*s",
                          STR_ARG(join->error));
        json_put_text(req->reply.json, "room_version", join->error_version);
    } else {
        (void)reply_error(req, 404, "M_NOT_FOUND",
                          "no server that is in the room could be reached (%.*s)",
                          STR_ARG(join->error));
    }
    return gate_finish(hs, req);
}

/* This server did not let us in: remember why, ask the next. */
static enum err refused(struct hs *hs, struct call *call, int status, const struct json *body,
                        const char *why)
{
    struct join *join = call->ctx;
    struct str error = json_get_text(body, "error");
    hs_log(hs, LOG_INFO, "%s of %.*s through %.*s failed: %d %.*s %s", join->kind->membership,
           STR_ARG(join->room_id), STR_ARG(call->server), status, STR_ARG(error), why);
    if (status != 0 || join->status == 0) {
        join->status = status;
        join->errcode = json_get_text(body, "errcode");
        join->error = error.n > 0 ? error : str_of(why);
        join->error_version = json_get_text(body, "room_version");
    }
    return next_server(hs, join);
}

/* --- the answer of send_join ---------------------------------------------------------------------
 */

static enum err reply_room(struct hs *hs, const struct join *join)
{
    struct req *req = gate_find(hs, join->req);
    if (req == NULL) {
        return ERR_NONE;
    }
    struct json *out = json_object(req->a);
    if (join->kind->is_entry) {
        json_put_text(out, "room_id", join->room_id);
    }
    (void)reply_json(req, out);
    return gate_finish(hs, req);
}

/* Does what the server tells of the room leave out what we know: as another of our users is in it,
 * or had come and gone when it was asked, or meanwhile? */
static enum err knows_more(struct hs *hs, const struct room *room, const struct join *join,
                           bool *does)
{
    int64_t row;
    TRY(current_is_joined(hs, room->nid, does));
    *does = *does || join->is_ahead;
    if (!*does) {
        TRY(store_get_int(hs->store, &row, 0, STMT_MEMBER_GONE_AFTER, "iii", room->nid,
                          hs->identity.server_name, join->asked));
        *does = row != 0;
    }
    return ERR_NONE;
}

/* The state before our join becomes the room's, then the join goes through the door like any other
 * event. Where another of our users is in the room already, or where we know what the resident has
 * yet to hear, say of a leave of ours, what we know stays and the join is a branch more.
 * ERR_REFUSED: the state the server told does not allow it; nothing of it may stay. */
static enum err enter(struct hs *hs, struct call *call, const struct room_version *version,
                      const struct json *body, struct event *ev)
{
    const struct join *join = call->ctx;
    struct room *room;
    struct verdict verdict;
    struct stored *s;
    int64_t snapshot;
    int64_t position;
    bool is_more;
    TRY(room_make(hs, join->room_id, version, &room));
    if (room->version != version) {
        return ERR_REFUSED;
    }
    TRY(state_take(hs, room, body, call->a, &snapshot));
    if (snapshot == 0) {
        return ERR_REFUSED;
    }
    TRY(knows_more(hs, room, join, &is_more));
    if (!is_more) {
        TRY(store_position_next(hs->store, &position));
        TRY(store_run(hs->store, STMT_EXTREMITY_CLEAR, "i", room->nid));
        TRY(current_move(hs, room, snapshot, NULL, position));
    }
    TRY(gap_open(hs, room));
    TRY(door_admit(hs, room, ev, ARRIVAL_NEW, snapshot, &verdict));
    if (verdict.kind != VERDICT_ACCEPT) {
        hs_log(hs, LOG_WARN, "join of %.*s: the state of %.*s does not allow it: %s",
               STR_ARG(join->room_id), STR_ARG(call->server),
               verdict.why == NULL ? "" : verdict.why);
        return ERR_REFUSED;
    }
    TRY(event_find(hs, ev->id, &s));
    TRY(gap_put(hs, s, s->position));
    TRY(missing_landed(hs, room));
    hs_log(hs, LOG_INFO, "joined %.*s through %.*s", STR_ARG(join->room_id), STR_ARG(call->server));
    return ERR_NONE;
}

static enum err joined(struct hs *hs, struct call *call, const struct json *body)
{
    struct join *join = call->ctx;
    const struct room_version *version = room_version_find(join->version);
    struct event *ev;
    const char *fault;
    TRY(event_parse_text(call->a, version, join->event, &ev, &fault));
    const struct json *signed_event = json_get_object(body, "event");
    if (signed_event != NULL) { /* a restricted join comes back with a signature more */
        struct event *theirs;
        struct str text = json_str(call->a, signed_event);
        enum err err = event_parse_text(call->a, version, text, &theirs, &fault);
        if (err != ERR_NONE || !str_eq(theirs->id, ev->id)) {
            return refused(hs, call, 0, NULL, "it answered with another event");
        }
        ev = theirs;
    }
    TRY(enter(hs, call, version, body, ev));
    return reply_room(hs, join);
}

static enum err knocked(struct hs *hs, struct call *call, const struct json *body)
{
    struct join *join = call->ctx;
    const struct room_version *version = room_version_find(join->version);
    struct room *room;
    struct event *ev;
    const char *fault;
    TRY(event_parse_text(call->a, version, join->event, &ev, &fault));
    TRY(room_make(hs, join->room_id, version, &room));
    const struct json *told = json_get_array(body, "knock_room_state");
    TRY(current_put_outside(hs, room, join->user_id, STR("knock"), 0,
                            json_str(call->a, stripped_take(call->a, told, ev))));
    return reply_room(hs, join);
}

static enum err has_left(struct hs *hs, struct call *call, const struct json *body)
{
    const struct join *join = call->ctx;
    const struct room_version *version = room_version_find(join->version);
    struct room *room;
    struct event *ev;
    (void)body;
    TRY(event_parse_text(call->a, version, join->event, &ev, NULL));
    TRY(room_find(hs, join->room_id, &room));
    TRY(put_left(hs, room, join->user_id, ev));
    return reply_room(hs, join);
}

/* --- the answer of make_join -------------------------------------------------------------- */

/* The template must be our own member event and nothing else. */
static bool is_ours(const struct join *join, const struct json *event)
{
    return str_eq(json_get_text(event, "type"), STR("m.room.member")) &&
           str_eq(json_get_text(event, "sender"), join->user_id) &&
           str_eq(json_get_text(event, "state_key"), join->user_id) &&
           str_eq(json_get_text(event, "room_id"), join->room_id) &&
           str_eq(json_get_text(json_get_object(event, "content"), "membership"),
                  str_of(join->kind->membership));
}

/* A stay of ours in the room before is the only one that can be later than the clock. */
static enum err join_time(struct hs *hs, const struct join *join, int64_t *ms)
{
    struct room *room;
    struct send_parts parts = {
        .sender = join->user_id, .type = STR("m.room.member"), .state_key = join->user_id};
    enum err err = room_find(hs, join->room_id, &room);
    *ms = hs->now.unix_ms;
    return err == ERR_ABSENT ? ERR_NONE : (err != ERR_NONE ? err : send_time(hs, room, &parts, ms));
}

static void put_content(struct arena *a, const struct join *join, struct json *event)
{
    struct json *more;
    struct json *content = json_get_object(event, "content");
    if (join->content.n == 0 || json_parse(a, join->content, &more, NULL) != ERR_NONE) {
        return;
    }
    for (const struct json *m = json_first(more); m != NULL; m = json_next(m)) {
        if (!str_eq(json_key(m), STR("membership"))) {
            json_put(content, json_key(m), json_copy(a, m));
        }
    }
}

/* Once a resident has our join, others may speak to us before its answer is here. */
static enum err hold_room(struct hs *hs, const struct join *join,
                          const struct room_version *version, const struct call *call)
{
    struct room *room;
    bool is_inside;
    TRY(room_make(hs, join->room_id, version, &room));
    TRY(current_is_joined(hs, room->nid, &is_inside));
    if (!is_inside) {
        missing_hold(hs, room, call->id);
    }
    return ERR_NONE;
}

static enum err on_sent(struct hs *hs, struct call *call, int status, struct json *body,
                        const char *why);

static enum err send_signed(struct hs *hs, const struct join *join, struct str server,
                            const struct event *ev)
{
    struct call *call = call_new(hs, server, on_sent);
    const char *operation = join->is_of_old ? join->kind->send_of_old : join->kind->send;
    struct join *mine = join_copy(call->a, join);
    struct json *body;
    mine->event = arena_str(call->a, ev->json);
    mine->version = ev->version->name;
    call->ctx = mine;
    enum err err = json_parse(call->a, ev->json, &body, NULL);
    if (err == ERR_NONE && join->kind == &kind_join) {
        err = hold_room(hs, join, ev->version, call);
    }
    if (err != ERR_NONE) {
        arena_free(call->a);
        return err;
    }
    struct str path = arena_fmt(call->a, "/_matrix/federation/%s/%.*s/%.*s", operation,
                                STR_ARG(percent_write(call->a, join->room_id)),
                                STR_ARG(percent_write(call->a, ev->id)));
    return call_send(hs, call, "PUT", path, body, CALL_TIMEOUT_MS);
}

static enum err send_as_of_old(struct hs *hs, const struct call *call, struct join *join)
{
    struct event *ev;
    TRY(event_parse_text(call->a, room_version_find(join->version), join->event, &ev, NULL));
    join->is_of_old = true;
    return send_signed(hs, join, call->server, ev);
}

static enum err on_sent(struct hs *hs, struct call *call, int status, struct json *body,
                        const char *why)
{
    struct join *join = call->ctx;
    if (call_is_unknown(status, body) && join->kind->send_of_old != NULL && !join->is_of_old) {
        return send_as_of_old(hs, call, join);
    }
    if (status != 200) {
        return refused(hs, call, status, body, why);
    }
    return join->kind->take(hs, call, join->is_of_old ? call_unwrap(body) : body);
}

static enum err on_made(struct hs *hs, struct call *call, int status, struct json *body,
                        const char *why)
{
    struct join *join = call->ctx;
    struct event *ev;
    int64_t ts;
    const char *fault = "";
    struct json *template = json_get_object(body, "event");
    struct str named = json_get_text(body, "room_version");
    const struct room_version *version = room_version_find(str_is_absent(named) ? STR("1") : named);
    struct event_signer signer = hs_signer(hs);
    if (status != 200) {
        return refused(hs, call, status, body, why);
    }
    if (version == NULL || template == NULL || !is_ours(join, template)) {
        return refused(hs, call, 0, NULL, "its template is not our own event");
    }
    TRY(join_time(hs, join, &ts));
    put_content(call->a, join, template);
    json_put_text(template, "origin", signer.server);
    json_put_int(template, "origin_server_ts", ts);
    json_remove(template, STR("event_id"));
    if (version->id_form == VERSION_ID_SERVER) {
        json_put_text(template, "event_id",
                      arena_fmt(call->a, "$%.*s:%.*s", STR_ARG(hs_random_text(hs, call->a, 24)),
                                STR_ARG(signer.server)));
    }
    enum err err = event_complete(call->a, version, template, &signer, &ev, &fault);
    if (err == ERR_SYNTAX || err == ERR_LIMIT) {
        return refused(hs, call, 0, NULL, fault);
    }
    TRY(err);
    return send_signed(hs, join, call->server, ev);
}

static enum err is_ahead(struct hs *hs, const struct join *join, struct str server, bool *is)
{
    struct room *room;
    int64_t name, row = 0;
    *is = false;
    enum err err = room_find(hs, join->room_id, &room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(store_name_find(hs->store, server, &name));
    TRY(store_get_int(hs->store, &row, 0, STMT_OUTBOX_HAS_ROOM, "ii", name, room->nid));
    *is = row != 0;
    return ERR_NONE;
}

static enum err next_server(struct hs *hs, const struct join *join)
{
    bool ahead;
    if (join->tried == join->n_servers) {
        return give_up(hs, join);
    }
    TRY(is_ahead(hs, join, join->servers[join->tried], &ahead));
    struct call *call = call_new(hs, join->servers[join->tried], on_made);
    struct join *mine = join_copy(call->a, join);
    struct buf path;
    mine->tried++;
    mine->is_ahead = ahead;
    mine->asked = store_position(hs->store);
    mine->is_of_old = false;
    call->ctx = mine;
    buf_init_in(&path, call->a, HTTP_HEAD_MAX);
    buf_add_fmt(&path, "/_matrix/federation/%s/%.*s/%.*s", join->kind->make,
                STR_ARG(percent_write(call->a, join->room_id)),
                STR_ARG(percent_write(call->a, join->user_id)));
    for (size_t i = 0; join->kind->is_entry && room_version_at(i) != NULL; i++) {
        buf_add_fmt(&path, "%sver=%.*s", i == 0 ? "?" : "&", STR_ARG(room_version_at(i)->name));
    }
    return call_send(hs, call, "GET", buf_str(&path), NULL, CALL_TIMEOUT_MS);
}

static enum err begin(struct hs *hs, struct req *req, struct join *join)
{
    if (join->n_servers == 0) {
        return reply_not_found(req, "no server that is in the room is known");
    }
    join->req = req->id;
    join->user_id = req->user_id;
    TRY(req_park(req, NULL, -1, false));
    return next_server(hs, join);
}

/* Each of them once, without ourselves. */
static void put_servers(struct hs *hs, struct join *join, struct strs servers)
{
    for (size_t i = 0; i < servers.n && join->n_servers < SERVERS_MAX; i++) {
        bool known = str_eq(servers.at[i], hs->identity.server);
        for (size_t k = 0; k < join->n_servers; k++) {
            known = known || str_eq(servers.at[i], join->servers[k]);
        }
        if (!known) {
            join->servers[join->n_servers] = servers.at[i];
            join->n_servers++;
        }
    }
}

enum err enter_remote(struct hs *hs, struct req *req, enum remote_way way, struct str room_id,
                      struct strs servers, const struct json *content)
{
    struct join join = {.kind = way == REMOTE_KNOCK ? &kind_knock : &kind_join,
                        .room_id = room_id,
                        .content = content == NULL ? STR_ABSENT : json_str(req->a, content)};
    put_servers(hs, &join, servers);
    return begin(hs, req, &join);
}

enum err leave_remote(struct hs *hs, struct req *req, struct room *room, struct strs servers)
{
    struct join join = {.kind = &kind_leave, .room_id = room->id};
    bool is_possible = false;
    put_servers(hs, &join, servers);
    for (size_t i = 0; i < join.n_servers; i++) {
        is_possible = is_possible || call_is_possible(hs, join.servers[i]);
    }
    if (!is_possible) { /* nobody to tell: it ends here */
        TRY(put_left(hs, room, req->user_id, NULL));
        return reply_empty(req);
    }
    return begin(hs, req, &join);
}
