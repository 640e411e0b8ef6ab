/* Our invites: the invited user's server signs first, then the event enters the room. */
#include "fed/invite.h"

#include "base/encode.h"
#include "engine/call.h"
#include "engine/client_event.h"
#include "engine/door.h"
#include "engine/gate.h"
#include "engine/outbox.h"
#include "event/mxid.h"
#include "fed/incoming.h"

enum { CALL_TIMEOUT_MS = 20000 };

struct invite {
    uint64_t req; /* 0: nobody waits */
    int64_t room;
    struct str event_id;
    const struct json *body; /* as version 2 of the operation has it */
    bool is_v1;
};

static enum err finish(struct hs *hs, const struct invite *invite, const char *refusal,
                       const char *code)
{
    struct req *req = invite->req == 0 ? NULL : gate_find(hs, invite->req);
    if (req == NULL) {
        return ERR_NONE;
    }
    if (refusal == NULL) {
        (void)reply_empty(req);
    } else {
        (void)reply_error(req, str_eq(str_of(code), STR("M_FORBIDDEN")) ? 403 : 502, code, "%s",
                          refusal);
    }
    return gate_finish(hs, req);
}

static enum err admit(struct hs *hs, struct call *call, struct room *room, struct json *pdu,
                      const char **fault)
{
    const struct invite *invite = call->ctx;
    struct event *ev;
    struct verdict verdict;
    struct stored *s;
    TRY(incoming_parse(hs, call->a, room, pdu, &ev, fault));
    if (ev == NULL || !str_eq(ev->id, invite->event_id)) {
        *fault = "the invited user's server answered with another event";
        return ERR_NONE;
    }
    TRY(door_admit(hs, room, ev, ARRIVAL_NEW, DOOR_STATE_FROM_PREV, &verdict));
    if (verdict.kind != VERDICT_ACCEPT) {
        *fault = verdict.why == NULL ? "the room no longer allows the invite" : verdict.why;
        return ERR_NONE;
    }
    *fault = NULL;
    TRY(event_find(hs, ev->id, &s));
    return outbox_pass_on(hs, room, s);
}

static enum err ask(struct hs *hs, struct str server, const struct invite *from, bool is_v1);

/* Servers of long ago know version 1 of the operation alone, and rooms of versions 1 and 2. */
static bool is_worth_v1(const struct invite *invite, int status, const struct json *body)
{
    struct str version = json_get_text(invite->body, "room_version");
    return !invite->is_v1 && call_is_unknown(status, body) &&
           (str_eq(version, STR("1")) || str_eq(version, STR("2")));
}

static enum err on_invited(struct hs *hs, struct call *call, int status, struct json *body,
                           const char *why)
{
    const struct invite *invite = call->ctx;
    struct room *room;
    const char *fault = NULL;
    if (is_worth_v1(invite, status, body)) {
        return ask(hs, call->server, invite, true);
    }
    const struct json *event = json_get_object(invite->is_v1 ? call_unwrap(body) : body, "event");
    if (status == 0) {
        return finish(hs, invite, arena_fmt(call->a, "the user's server: %s", why).p, "M_UNKNOWN");
    }
    if (status != 200 || event == NULL) {
        struct str error = json_get_text(body, "error");
        return finish(hs, invite, error.n > 0 ? error.p : "the user's server refused the invite",
                      "M_FORBIDDEN");
    }
    TRY(room_get(hs, invite->room, &room));
    TRY(admit(hs, call, room, json_copy(call->a, event), &fault));
    return finish(hs, invite, fault, "M_FORBIDDEN");
}

static enum err ask(struct hs *hs, struct str server, const struct invite *from, bool is_v1)
{
    struct call *call = call_new(hs, server, on_invited);
    struct invite *invite = ARENA_NEW(call->a, struct invite);
    struct json *body = json_copy(call->a, from->body);
    struct json *sent = body;
    *invite = *from;
    invite->event_id = arena_str(call->a, from->event_id);
    invite->body = body;
    invite->is_v1 = is_v1;
    call->ctx = invite;
    if (is_v1) {
        const struct json *stripped = json_get(body, STR("invite_room_state"));
        sent = json_copy(call->a, json_get_object(body, "event"));
        json_put(json_put_object(sent, STR("unsigned")), STR("invite_room_state"),
                 json_copy(call->a, stripped));
    }
    struct str room_id = json_get_text(json_get_object(body, "event"), "room_id");
    struct str path = arena_fmt(call->a, "/_matrix/federation/%s/invite/%.*s/%.*s",
                                is_v1 ? "v1" : "v2", STR_ARG(percent_write(call->a, room_id)),
                                STR_ARG(percent_write(call->a, invite->event_id)));
    return call_send(hs, call, "PUT", path, sent, CALL_TIMEOUT_MS);
}

enum err invite_remote(struct hs *hs, struct req *req, struct room *room, const struct event *ev)
{
    struct json *stripped;
    struct json *body = json_object(hs->turn);
    struct invite invite = {
        .req = req == NULL ? 0 : req->id, .room = room->nid, .event_id = ev->id, .body = body};
    TRY(client_event_stripped(hs, hs->turn, room, NULL, &stripped));
    json_put_text(body, "room_version", room->version->name);
    json_put(body, STR("event"), json_copy(hs->turn, ev->tree));
    json_put(body, STR("invite_room_state"), stripped);
    TRY(ask(hs, mxid_server(ev->state_key), &invite, false));
    return req == NULL ? ERR_NONE : req_park(req, NULL, -1, false);
}
