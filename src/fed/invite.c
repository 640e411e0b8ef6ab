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
    struct fact fact = {.room = room,
                        .ev = s->ev,
                        .event = s->nid,
                        .position = s->position,
                        .is_new = true,
                        .is_local = true};
    return outbox_on_fact(hs, &fact);
}

static enum err on_invited(struct hs *hs, struct call *call, int status, struct json *body,
                           const char *why)
{
    const struct invite *invite = call->ctx;
    struct room *room;
    const char *fault = NULL;
    const struct json *event = json_get_object(body, "event");
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

enum err invite_remote(struct hs *hs, struct req *req, struct room *room, const struct event *ev)
{
    struct call *call = call_new(hs, mxid_server(ev->state_key), on_invited);
    struct invite *invite = ARENA_NEW(call->a, struct invite);
    struct json *stripped;
    *invite = (struct invite){.req = req == NULL ? 0 : req->id,
                              .room = room->nid,
                              .event_id = arena_str(call->a, ev->id)};
    call->ctx = invite;
    enum err err = client_event_stripped(hs, call->a, room, NULL, &stripped);
    if (err != ERR_NONE) {
        arena_free(call->a);
        return err;
    }
    struct json *body = json_object(call->a);
    json_put_text(body, "room_version", room->version->name);
    json_put(body, STR("event"), json_copy(call->a, ev->tree));
    json_put(body, STR("invite_room_state"), stripped);
    struct str path = arena_fmt(call->a, "/_matrix/federation/v2/invite/%.*s/%.*s",
                                STR_ARG(percent_write(call->a, room->id)),
                                STR_ARG(percent_write(call->a, ev->id)));
    TRY(call_send(hs, call, "PUT", path, body, CALL_TIMEOUT_MS));
    return req == NULL ? ERR_NONE : req_park(req, NULL, -1, false);
}
