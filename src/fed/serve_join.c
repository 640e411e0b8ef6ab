/* Letting others in and out. */
#include "fed/serve_join.h"

#include "engine/client_event.h"
#include "engine/current.h"
#include "engine/outbox.h"
#include "engine/send.h"
#include "engine/snapshot.h"
#include "event/mxid.h"
#include "fed/asked_room.h"
#include "fed/chain.h"
#include "fed/incoming.h"

static enum err check_version(struct req *req, const struct room *room, bool *ok)
{
    struct strs served = http_query_all(req->a, req->head->query, STR("ver"));
    *ok = served.n == 0 && str_eq(room->version->name, STR("1"));
    for (size_t i = 0; i < served.n; i++) {
        *ok = *ok || str_eq(served.at[i], room->version->name);
    }
    if (*ok) {
        return ERR_NONE;
    }
    (void)reply_error(req, 400, "M_INCOMPATIBLE_ROOM_VERSION",
                      "your server does not serve version %.*s", STR_ARG(room->version->name));
    json_put_text(req->reply.json, "room_version", room->version->name);
    return ERR_NONE;
}

/* A template of the asked membership, allowed by the current state, or the refusal. */
static enum err make(struct hs *hs, struct req *req, struct room *room, const char *membership)
{
    struct event_parts parts;
    struct event *trial;
    const char *why;
    struct str user_id = req->params[1];
    struct event_signer signer = hs_signer(hs);
    if (!mxid_is_user(user_id) || !str_eq(mxid_server(user_id), req->origin)) {
        return reply_forbidden(req, "that user is not of your server");
    }
    struct json *content = json_object(req->a);
    json_put_text(content, "membership", str_of(membership));
    struct send_parts wanted = {
        .sender = user_id, .type = STR("m.room.member"), .state_key = user_id, .content = content};
    TRY(send_place(hs, req->a, room, &wanted, &parts));
    TRY(event_build(req->a, room->version, &parts, &signer, &trial, &why));
    struct current_view view = {.hs = hs, .room = room};
    struct verdict verdict = auth_check(req->a, trial, current_view(&view));
    TRY(view.err);
    if (verdict.kind != VERDICT_ACCEPT) {
        return reply_forbidden(req, verdict.why);
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "room_version", room->version->name);
    struct json *template = event_template(req->a, room->version, &parts);
    json_put_text(template, "origin", hs->identity.server); /* make_join of the s-s API wants it */
    json_put(out, STR("event"), template);
    return reply_json(req, out);
}

/* make_join and make_knock: whoever comes in must serve the room's version. */
static enum err make_entry(struct hs *hs, struct req *req, const char *membership)
{
    struct room *room;
    bool ok;
    TRY(asked_room_of_resident(hs, req, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    TRY(check_version(req, room, &ok));
    return ok ? make(hs, req, room, membership) : ERR_NONE;
}

enum err make_join_get(struct hs *hs, struct req *req)
{
    return make_entry(hs, req, "join");
}

enum err make_knock_get(struct hs *hs, struct req *req)
{
    return make_entry(hs, req, "knock");
}

enum err make_leave_get(struct hs *hs, struct req *req)
{
    struct room *room;
    TRY(asked_room_of_resident(hs, req, &room));
    return room == NULL ? ERR_NONE : make(hs, req, room, "leave");
}

/* The signed event of the body through the door. *s NULL: the refusal is set. */
static enum err take(struct hs *hs, struct req *req, struct room *room, const char *membership,
                     struct stored **s)
{
    struct event *ev;
    const char *why = "";
    struct verdict verdict;
    *s = NULL;
    TRY(incoming_parse(hs, req->a, room, json_copy(req->a, req->body), &ev, &why));
    if (ev == NULL) {
        return reply_error(req, 400, "M_BAD_JSON", "%s", why);
    }
    if (!str_eq(ev->type, STR("m.room.member")) || !str_eq(ev->sender, ev->state_key) ||
        !str_eq(event_membership(ev), str_of(membership)) || !str_eq(ev->id, req->params[1])) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is not a %s of that id", membership);
    }
    if (!str_eq(mxid_server(ev->sender), req->origin)) {
        return reply_forbidden(req, "that user is not of your server");
    }
    TRY(door_admit(hs, room, ev, ARRIVAL_NEW, DOOR_STATE_FROM_PREV, &verdict));
    if (verdict.kind == VERDICT_MISSING) {
        return reply_error(req, 400, "M_BAD_STATE",
                           "it cites events that are not here; make it anew");
    }
    if (verdict.kind != VERDICT_ACCEPT) {
        return reply_forbidden(req, verdict.why == NULL ? "refused" : verdict.why);
    }
    return event_find(hs, ev->id, s);
}

static enum err join(struct hs *hs, struct req *req, struct json **out)
{
    struct room *room;
    struct stored *s;
    *out = NULL;
    TRY(asked_room_of_resident(hs, req, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    TRY(take(hs, req, room, "join", &s));
    if (s == NULL) {
        return ERR_NONE;
    }
    TRY(outbox_pass_on(hs, room, s));
    *out = json_object(req->a);
    json_put_text(*out, "origin", hs->identity.server);
    json_put_bool(*out, "members_omitted", false);
    json_put(*out, STR("event"), json_copy(req->a, s->ev->tree));
    struct json *chain = json_put_array(*out, STR("auth_chain"));
    struct json *state = json_put_array(*out, STR("state"));
    return chain_of_state(hs, req->a, s->before, state, chain, false);
}

/* As version 1 of the operations has it: the status and the body, in an array. */
static enum err reply_v1(struct req *req, struct json *body)
{
    struct json *pair = json_array(req->a);
    json_push_int(pair, 200);
    json_push(pair, body);
    return reply_json(req, pair);
}

enum err send_join_put(struct hs *hs, struct req *req)
{
    struct json *out;
    TRY(join(hs, req, &out));
    return out == NULL ? ERR_NONE : reply_json(req, out);
}

enum err send_join_v1_put(struct hs *hs, struct req *req)
{
    struct json *out;
    TRY(join(hs, req, &out));
    if (out == NULL) {
        return ERR_NONE;
    }
    return reply_v1(req, out);
}

/* Takes the event and passes it on. *room NULL: the refusal is set. */
static enum err take_and_pass(struct hs *hs, struct req *req, const char *membership,
                              struct room **room)
{
    struct stored *s;
    TRY(asked_room_of_resident(hs, req, room));
    if (*room == NULL) {
        return ERR_NONE;
    }
    TRY(take(hs, req, *room, membership, &s));
    if (s == NULL) {
        *room = NULL;
        return ERR_NONE;
    }
    return outbox_pass_on(hs, *room, s);
}

enum err send_leave_put(struct hs *hs, struct req *req)
{
    struct room *room;
    TRY(take_and_pass(hs, req, "leave", &room));
    return room == NULL ? ERR_NONE : reply_empty(req);
}

enum err send_leave_v1_put(struct hs *hs, struct req *req)
{
    struct room *room;
    TRY(take_and_pass(hs, req, "leave", &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    return reply_v1(req, json_object(req->a));
}

/* "Knocking upon a room": the one who knocks gets to know which room it is. */
enum err send_knock_put(struct hs *hs, struct req *req)
{
    struct room *room;
    struct json *stripped;
    TRY(take_and_pass(hs, req, "knock", &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    TRY(client_event_stripped(hs, req->a, room, NULL, &stripped));
    struct json *out = json_object(req->a);
    json_put(out, STR("knock_room_state"), stripped);
    return reply_json(req, out);
}
