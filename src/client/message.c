/* Messages, state, redactions. A transaction id makes a repeated request the same event. */
#include "client/message.h"

#include "client/membership.h"
#include "client/once.h"
#include "client/page.h"
#include "engine/client_event.h"
#include "engine/current.h"
#include "engine/snapshot.h"
#include "event/mxid.h"

static enum err reply_event(struct req *req, struct str event_id)
{
    struct json *out = json_object(req->a);
    json_put_text(out, "event_id", event_id);
    return reply_json(req, out);
}

/* The older form of the path has no transaction id. */
static bool has_txn_id(const struct req *req)
{
    return req->n_params > 2;
}

static struct str scope_of(struct req *req, struct str type)
{
    return arena_join(req->a, req->params[0], STR(" "), type);
}

/* Was it sent before under this transaction id? Then that is the answer, also for who has left the
 * room since. */
static enum err answer_again(struct hs *hs, struct req *req, struct str type, bool *done)
{
    struct str before = STR_ABSENT;
    if (has_txn_id(req)) {
        TRY(once_find(hs, req, scope_of(req, type), req->params[2], &before));
    }
    *done = !str_is_absent(before);
    return *done ? reply_event(req, before) : ERR_NONE;
}

static enum err send_once(struct hs *hs, struct req *req, struct room *room,
                          const struct send_parts *parts)
{
    struct stored *sent;
    TRY(access_send(hs, req, room, parts, &sent));
    if (sent == NULL) {
        return ERR_NONE;
    }
    if (has_txn_id(req)) {
        TRY(once_keep(hs, req, scope_of(req, parts->type), req->params[2], sent->ev->id));
        TRY(event_set_txn(hs, sent, req->device_id, req->params[2]));
    }
    return reply_event(req, sent->ev->id);
}

enum err message_put(struct hs *hs, struct req *req)
{
    struct room *room;
    bool done;
    bool ok = false;
    struct send_parts parts = {
        .sender = req->user_id, .type = req->params[1], .content = req->body};
    TRY(answer_again(hs, req, parts.type, &done));
    if (!done) {
        TRY(access_joined(hs, req, &room, &ok));
    }
    if (ok && str_eq(parts.type, STR("m.room.redaction"))) {
        parts.redacts = json_get_text(req->body, "redacts");
    }
    return ok ? send_once(hs, req, room, &parts) : ERR_NONE;
}

enum err redact_put(struct hs *hs, struct req *req)
{
    struct room *room;
    struct stored *target;
    bool done;
    bool ok = false;
    struct send_parts parts = {.sender = req->user_id,
                               .type = STR("m.room.redaction"),
                               .redacts = req->params[1],
                               .content = req->body};
    TRY(answer_again(hs, req, parts.type, &done));
    if (!done) {
        TRY(access_joined(hs, req, &room, &ok));
    }
    if (!ok) {
        return ERR_NONE;
    }
    enum err err = event_find(hs, req->params[1], &target);
    if (err == ERR_ABSENT || (err == ERR_NONE && target->room != room->nid)) {
        return reply_not_found(req, "that event is not in this room");
    }
    TRY(err);
    if (!str_eq(target->ev->sender, req->user_id)) {
        struct power power;
        TRY(current_power(hs, room, &power));
        if (power_of_user(&power, req->user_id) < power_for(&power, POWER_REDACT)) {
            return reply_forbidden(req, "your power is not enough to redact what others sent");
        }
    }
    return send_once(hs, req, room, &parts);
}

static struct str state_key_of(struct req *req)
{
    return req->n_params > 2 ? req->params[2] : STR("");
}

static enum err check_alias(struct hs *hs, struct req *req, const struct room *room,
                            struct str alias, bool *ok)
{
    struct str room_id;
    *ok = mxid_is_alias(alias);
    if (!*ok) {
        return reply_error(req, 400, "M_INVALID_PARAM", "what should be an alias is none");
    }
    if (!hs_is_ours(hs, alias)) {
        return ERR_NONE;
    }
    TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", alias));
    *ok = str_eq(room_id, room->id);
    return *ok ? ERR_NONE
               : reply_error(req, 400, "M_BAD_ALIAS", "this alias does not lead to the room");
}

static bool is_among(const struct json *texts, struct str text)
{
    const struct json *x = json_first(texts);
    while (x != NULL && !str_eq(json_text(x), text)) {
        x = json_next(x);
    }
    return x != NULL;
}

/* m.room.canonical_alias may name only aliases that lead to the room. What stood there before may
 * stay, so that an alias that is gone does not forbid any change. */
static enum err check_aliases(struct hs *hs, struct req *req, struct room *room, bool *ok)
{
    struct json *now;
    struct str alias = json_get_text(req->body, "alias");
    *ok = true;
    if (!str_eq(req->params[1], STR("m.room.canonical_alias"))) {
        return ERR_NONE;
    }
    if (alias.n > 0) {
        TRY(check_alias(hs, req, room, alias, ok));
    }
    TRY(current_content(hs, room, req->params[1], STR(""), &now));
    const struct json *had = json_get_array(now, "alt_aliases");
    const struct json *given = json_get_array(req->body, "alt_aliases");
    for (const struct json *x = json_first(given); x != NULL && *ok; x = json_next(x)) {
        if (!is_among(had, json_text(x))) {
            TRY(check_alias(hs, req, room, json_text(x), ok));
        }
    }
    return ERR_NONE;
}

/* What a client writes as a member event: by whose right one enters is not his to say. */
static enum err member_content(struct hs *hs, struct req *req, const struct room *room, bool enters,
                               struct json **out)
{
    bool is_inside;
    *out = json_object(req->a);
    for (const struct json *m = json_first(req->body); m != NULL; m = json_next(m)) {
        if (!str_eq(json_key(m), STR("join_authorised_via_users_server"))) {
            json_put(*out, json_key(m), json_copy(req->a, m));
        }
    }
    return enters ? membership_enter(hs, req, room, *out, &is_inside) : ERR_NONE;
}

enum err room_state_put(struct hs *hs, struct req *req)
{
    struct room *room;
    struct stored *sent;
    struct stored *now;
    bool ok;
    struct send_parts parts = {.sender = req->user_id,
                               .type = req->params[1],
                               .state_key = state_key_of(req),
                               .content = req->body};
    bool is_member = str_eq(parts.type, STR("m.room.member"));
    bool enters = is_member && str_eq(parts.state_key, req->user_id) &&
                  str_eq(json_get_text(req->body, "membership"), STR("join"));
    TRY(enters ? access_resident(hs, req, &room, &ok) : access_joined(hs, req, &room, &ok));
    if (ok) {
        TRY(check_aliases(hs, req, room, &ok));
    }
    if (!ok) {
        return ERR_NONE;
    }
    TRY(current_get(hs, room, parts.type, parts.state_key, &now));
    if (now != NULL && str_eq(now->ev->sender, req->user_id) &&
        json_eq(client_content(req->a, now), req->body)) {
        return reply_event(req, now->ev->id); /* nothing would change */
    }
    if (is_member) {
        struct json *content;
        TRY(member_content(hs, req, room, enters, &content));
        parts.content = content;
    }
    if (req->reply.status != 0) {
        return ERR_NONE;
    }
    TRY(access_send(hs, req, room, &parts, &sent));
    return sent == NULL ? ERR_NONE : reply_event(req, sent->ev->id);
}

enum err room_state_get(struct hs *hs, struct req *req)
{
    struct access access;
    struct stored *s;
    int64_t nid = 0;
    bool ok;
    TRY(access_read(hs, req, &access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(snapshot_get(hs, access.snapshot, req->params[1], state_key_of(req), &nid));
    if (nid == 0) {
        return reply_not_found(req, "the room has no such state");
    }
    TRY(event_get(hs, nid, &s));
    if (str_eq(req_query(req, "format"), STR("event"))) {
        struct client_view view = {.user = req->user, .device_id = req->device_id};
        struct json *out;
        TRY(client_event(hs, req->a, s, &view, &out));
        return reply_json(req, out);
    }
    return reply_json(req, json_copy(req->a, client_content(req->a, s)));
}

enum err room_state_all_get(struct hs *hs, struct req *req)
{
    struct access access;
    bool ok;
    TRY(access_read(hs, req, &access, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct page_state_ask everything = {0};
    struct json *out = json_array(req->a);
    TRY(page_state(hs, req, &access, &everything, out));
    return reply_json(req, out);
}
