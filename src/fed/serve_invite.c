/* Inviting users of ours, by their ids or by addresses outside Matrix. */
#include "fed/serve_invite.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/current.h"
#include "engine/gate.h"
#include "engine/parked.h"
#include "engine/send.h"
#include "engine/server_keys.h"
#include "event/mxid.h"
#include "event/seal.h"
#include "fed/asked_room.h"
#include "fed/invite.h"
#include "fed/stripped.h"

enum {
    CALL_TIMEOUT_MS = 20000,
    BOUND_INVITES_MAX = 32, /* of one request, one after the other; */
    BOUND_WAITING_MAX = 16, /* ... of so many requests at once, */
    BOUND_WAIT_MS = 60000   /* ... and for so long */
};

static const char *invite_fault(struct hs *hs, struct req *req, const struct event *ev)
{
    if (!str_eq(ev->type, STR("m.room.member")) || !str_eq(event_membership(ev), STR("invite")) ||
        !mxid_is_user(ev->state_key) || !hs_is_ours(hs, ev->state_key)) {
        return "this is not an invite of one of our users";
    }
    if (!str_eq(mxid_server(ev->sender), req->origin) || !str_eq(ev->id, req->params[1]) ||
        !str_eq(ev->room_id, req->params[0])) {
        return "sender, room or event id are not those of the request";
    }
    return NULL;
}

static enum err check_sender(struct hs *hs, struct req *req, const struct event *ev, bool *ok)
{
    enum err err = server_keys_check(hs, req->a, ev, req->origin);
    *ok = err == ERR_NONE;
    return *ok ? ERR_NONE : reply_forbidden(req, "the invite is not signed by its sender's server");
}

static enum err store_invite(struct hs *hs, struct req *req, const struct event *ev,
                             const struct json *given)
{
    struct room *room;
    bool resident;
    TRY(room_make(hs, ev->room_id, ev->version, &room));
    TRY(current_is_joined(hs, room->nid, &resident));
    if (resident) { /* the inviter's server sends it into the room as well */
        return ERR_NONE;
    }
    return current_put_outside(hs, room, ev->state_key, STR("invite"), 0,
                               json_str(req->a, stripped_take(req->a, given, ev)));
}

/* Our user is invited by this event; *out is it with our signature, NULL: the refusal is set. */
static enum err take_invite(struct hs *hs, struct req *req, const struct room_version *version,
                            const struct json *pdu, const struct json *stripped, struct json **out)
{
    struct event *ev;
    struct event *countersigned;
    const char *why = "";
    int64_t user;
    int64_t account;
    bool ok;
    struct event_signer signer = hs_signer(hs);
    *out = NULL;
    TRY(asked_room_of_invite(hs, req, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    enum err err =
        pdu == NULL ? ERR_SYNTAX : event_parse(req->a, version, json_copy(req->a, pdu), &ev, &why);
    if (err == ERR_SYNTAX || err == ERR_LIMIT) {
        return reply_error(req, 400, "M_BAD_JSON", "this is no invite event: %s", why);
    }
    TRY(err);
    const char *fault = invite_fault(hs, req, ev);
    if (fault != NULL) {
        return reply_error(req, 400, "M_INVALID_PARAM", "%s", fault);
    }
    TRY(check_sender(hs, req, ev, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(store_name(hs->store, ev->state_key, &user));
    TRY(store_get_int(hs->store, &account, -1, STMT_ACCOUNT_EXISTS, "i", user));
    if (account < 0) {
        return reply_forbidden(req, "there is no such user");
    }
    TRY(event_countersign(req->a, ev, &signer, &countersigned));
    TRY(store_invite(hs, req, ev, stripped));
    *out = json_object(req->a);
    json_put(*out, STR("event"), json_copy(req->a, countersigned->tree));
    return ERR_NONE;
}

enum err invite_put(struct hs *hs, struct req *req)
{
    struct json *out;
    const struct room_version *version =
        room_version_find(json_get_text(req->body, "room_version"));
    if (version == NULL) {
        return reply_error(req, 400, "M_INCOMPATIBLE_ROOM_VERSION",
                           "this room version is not served here");
    }
    TRY(take_invite(hs, req, version, json_get_object(req->body, "event"),
                    json_get_array(req->body, "invite_room_state"), &out));
    return out == NULL ? ERR_NONE : reply_json(req, out);
}

/* The version is 1 or 2, whose events are the same. */
enum err invite_v1_put(struct hs *hs, struct req *req)
{
    struct json *out;
    const struct json *stripped =
        json_get_array(json_get_object(req->body, "unsigned"), "invite_room_state");
    TRY(take_invite(hs, req, room_version_find(STR("1")), req->body, stripped, &out));
    if (out == NULL) {
        return ERR_NONE;
    }
    struct json *pair = json_array(req->a);
    json_push_int(pair, 200);
    json_push(pair, out);
    return reply_json(req, pair);
}

/* --- by addresses outside Matrix ----------------------------------------------------------------
 */

static struct json *third_party_content(struct arena *a, struct str name, const struct json *proof)
{
    struct json *content = json_object(a);
    json_put_text(content, "membership", STR("invite"));
    struct json *invite = json_put_object(content, STR("third_party_invite"));
    json_put_text(invite, "display_name", name);
    json_put(invite, STR("signed"), json_copy(a, proof));
    return content;
}

/* The invite itself. The rules check that the room knows the token, and the proof of it. */
static enum err third_party_invite(struct hs *hs, struct req *req, struct room *room,
                                   const struct send_parts *parts)
{
    struct verdict verdict;
    struct event *ev;
    const char *why;
    if (hs_is_ours(hs, parts->state_key)) {
        struct stored *sent;
        TRY(send_event(hs, room, parts, &verdict, &sent));
        return verdict.kind == VERDICT_ACCEPT ? reply_empty(req)
                                              : reply_forbidden(req, verdict.why);
    }
    enum err err = send_build(hs, req->a, room, parts, &ev, &why);
    if (err == ERR_SYNTAX || err == ERR_LIMIT) {
        return reply_error(req, 400, "M_BAD_JSON", "%s", why);
    }
    TRY(err);
    struct current_view view = {.hs = hs, .room = room};
    verdict = auth_check(req->a, ev, current_view(&view));
    TRY(view.err);
    return verdict.kind == VERDICT_ACCEPT ? invite_remote(hs, req, room, ev)
                                          : reply_forbidden(req, verdict.why);
}

enum err third_party_exchange_put(struct hs *hs, struct req *req)
{
    struct room *room;
    struct json *kept;
    struct send_parts parts = {.sender = json_get_text(req->body, "sender"),
                               .type = STR("m.room.member"),
                               .state_key = json_get_text(req->body, "state_key")};
    TRY(asked_room_of_resident(hs, req, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    const struct json *content = json_get_object(req->body, "content");
    const struct json *invite = json_get_object(content, "third_party_invite");
    const struct json *proof = json_get_object(invite, "signed");
    struct str token = json_get_text(proof, "token");
    if (!str_eq(json_get_text(content, "membership"), STR("invite")) || str_is_absent(token) ||
        !str_eq(json_get_text(req->body, "type"), parts.type) ||
        !str_eq(json_get_text(req->body, "room_id"), room->id) || !mxid_is_user(parts.state_key)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is no third-party invite");
    }
    if (!mxid_is_user(parts.sender) || !hs_is_ours(hs, parts.sender)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "the sender is not a user of this server");
    }
    /* The name that our user's identity server chose shows no address. */
    TRY(current_content(hs, room, STR("m.room.third_party_invite"), token, &kept));
    struct str name = json_get_text(kept, "display_name");
    name = str_is_absent(name) ? json_get_text(invite, "display_name") : name;
    parts.content = third_party_content(req->a, name, proof);
    return third_party_invite(hs, req, room, &parts);
}

/* A request to /3pid/onbind: its invites, one after the other; in the parked request's arena. */
struct bound {
    struct str user_id;
    const struct json *next; /* NULL: all have been seen to */
};

/* Nobody learns more by waiting longer. */
static enum err end_bound(struct hs *hs, struct req *req, bool is_time_up)
{
    (void)hs;
    (void)is_time_up;
    return reply_empty(req);
}

static enum err exchange_next(struct hs *hs, struct req *req, bool *asks);

static enum err on_exchanged(struct hs *hs, struct call *call, int status, struct json *body,
                             const char *why)
{
    const uint64_t *id = call->ctx;
    struct req *req = gate_find(hs, *id);
    bool asks;
    if (status != 200) {
        struct str error = json_get_text(body, "error");
        hs_log(hs, LOG_INFO, "%.*s did not exchange a third-party invite: %d %.*s %s",
               STR_ARG(call->server), status, STR_ARG(error), why);
    }
    if (req == NULL) {
        return ERR_NONE;
    }
    TRY(exchange_next(hs, req, &asks));
    if (asks) {
        return ERR_NONE;
    }
    (void)reply_empty(req);
    return gate_finish(hs, req);
}

/* The server of who left the invite in the room makes it an invite of our user. */
static enum err ask_exchange(struct hs *hs, struct req *req, const struct send_parts *parts,
                             struct str room_id)
{
    struct call *call = call_new(hs, mxid_server(parts->sender), on_exchanged);
    uint64_t *id = ARENA_NEW(call->a, uint64_t);
    struct json *body = json_object(call->a);
    *id = req->id;
    call->ctx = id;
    json_put_text(body, "type", parts->type);
    json_put_text(body, "room_id", room_id);
    json_put_text(body, "sender", parts->sender);
    json_put_text(body, "state_key", parts->state_key);
    json_put(body, STR("content"), json_copy(call->a, parts->content));
    struct str path = arena_fmt(call->a, "/_matrix/federation/v1/exchange_third_party_invite/%.*s",
                                STR_ARG(percent_write(call->a, room_id)));
    return call_send(hs, call, "PUT", path, body, CALL_TIMEOUT_MS);
}

/* *asks: another server was asked and will answer. */
static enum err exchange(struct hs *hs, struct req *req, const struct json *invite, bool *asks)
{
    const struct bound *bound = req->ctx;
    struct room *room;
    struct verdict verdict;
    struct stored *sent;
    struct str room_id = json_get_text(invite, "room_id");
    const struct json *proof = json_get_object(invite, "signed");
    struct send_parts parts = {.sender = json_get_text(invite, "sender"),
                               .type = STR("m.room.member"),
                               .state_key = bound->user_id,
                               .content = third_party_content(req->a, bound->user_id, proof)};
    *asks = false;
    if (!mxid_is_user(parts.sender) || !mxid_is_room(room_id) || proof == NULL) {
        return ERR_NONE;
    }
    if (!hs_is_ours(hs, parts.sender)) {
        *asks = call_is_possible(hs, mxid_server(parts.sender));
        return *asks ? ask_exchange(hs, req, &parts, room_id) : ERR_NONE;
    }
    enum err err = room_find(hs, room_id, &room);
    if (err == ERR_NONE && room->snapshot != 0) {
        err = send_event(hs, room, &parts, &verdict, &sent); /* refused: it was no invite */
    }
    return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err exchange_next(struct hs *hs, struct req *req, bool *asks)
{
    struct bound *bound = req->ctx;
    *asks = false;
    while (bound->next != NULL && !*asks) {
        const struct json *invite = bound->next;
        bound->next = json_next(invite);
        TRY(exchange(hs, req, invite, asks));
    }
    return ERR_NONE;
}

enum err third_party_bound_put(struct hs *hs, struct req *req)
{
    struct bound *bound = ARENA_NEW(req->a, struct bound);
    const struct json *invites = json_get_array(req->body, "invites");
    int64_t user;
    int64_t account;
    size_t of_address;
    bool asks;
    *bound = (struct bound){json_get_text(req->body, "mxid"), json_first(invites)};
    req->ctx = bound;
    TRY(store_name_find(hs->store, bound->user_id, &user));
    TRY(store_get_int(hs->store, &account, -1, STMT_ACCOUNT_EXISTS, "i", user));
    if (account < 0) {
        return reply_not_found(req, "there is no such user");
    }
    if (json_count(invites) > BOUND_INVITES_MAX) {
        return reply_error(req, 400, "M_LIMIT_EXCEEDED", "at most %d invites at once",
                           BOUND_INVITES_MAX);
    }
    if (parked_waiting(hs->parked, end_bound, req->address, &of_address) >= BOUND_WAITING_MAX) {
        return reply_error(req, 429, "M_LIMIT_EXCEEDED", "too many of these wait; try again");
    }
    TRY(exchange_next(hs, req, &asks));
    return asks ? req_park(req, end_bound, hs->now.mono_ms + BOUND_WAIT_MS, false)
                : reply_empty(req);
}
