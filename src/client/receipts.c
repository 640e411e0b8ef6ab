/* What a user of ours has read. */
#include "client/receipts.h"

#include "engine/account_data.h"
#include "engine/receipts.h"

/* *ok false: the refusal is set. */
static enum err find_event(struct hs *hs, struct req *req, const struct room *room,
                           struct str event_id, struct stored **out, bool *ok)
{
    enum err err = event_find(hs, event_id, out);
    *ok = err == ERR_NONE && (*out)->room == room->nid;
    if (err == ERR_ABSENT || (err == ERR_NONE && !*ok)) {
        return reply_not_found(req, "that event is not in this room");
    }
    return err;
}

/* The marker never goes back. */
static enum err mark_fully_read(struct hs *hs, struct req *req, const struct room *room,
                                const struct stored *ev)
{
    struct json *old;
    struct stored *before = NULL;
    TRY(account_data_get(hs, req->a, req->user, room->nid, STR("m.fully_read"), &old));
    enum err err = ERR_ABSENT;
    if (old != NULL) {
        err = event_find(hs, json_get_text(old, "event_id"), &before);
    }
    if (err != ERR_ABSENT) {
        TRY(err);
        if (before->position >= ev->position) {
            return ERR_NONE;
        }
    }
    struct json *content = json_object(req->a);
    json_put_text(content, "event_id", ev->ev->id);
    return account_data_put(hs, req->user, room->nid, STR("m.fully_read"), content);
}

static enum err mark(struct hs *hs, struct req *req, struct room *room, struct str type,
                     struct str event_id)
{
    struct stored *ev;
    struct str thread = json_get_text(req->body, "thread_id");
    bool ok;
    TRY(find_event(hs, req, room, event_id, &ev, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (str_eq(type, STR("m.fully_read"))) {
        return mark_fully_read(hs, req, room, ev);
    }
    struct receipt receipt = {.room = room,
                              .type = type,
                              .user_id = req->user_id,
                              .thread = thread.p == NULL ? STR("") : thread,
                              .event_id = event_id,
                              .ts = hs->now.unix_ms};
    return receipt_send(hs, &receipt);
}

static bool is_type(struct str type)
{
    return str_eq(type, STR("m.read")) || str_eq(type, STR("m.read.private")) ||
           str_eq(type, STR("m.fully_read"));
}

enum err receipt_post(struct hs *hs, struct req *req)
{
    struct room *room;
    struct str thread = json_get_text(req->body, "thread_id");
    bool ok;
    TRY(access_joined(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (!is_type(req->params[1])) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "a receipt is m.read, m.read.private or m.fully_read");
    }
    if (thread.p != NULL &&
        (!receipt_is_thread(thread) || str_eq(req->params[1], STR("m.fully_read")))) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "thread_id is 'main' or an event, and not for m.fully_read");
    }
    TRY(mark(hs, req, room, req->params[1], req->params[2]));
    return req->reply.status != 0 ? ERR_NONE : reply_empty(req);
}

enum err read_markers_post(struct hs *hs, struct req *req)
{
    static const char *const types[] = {"m.fully_read", "m.read", "m.read.private"};
    struct room *room;
    bool ok;
    TRY(access_joined(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct str event_id = json_get_text(req->body, types[i]);
        if (event_id.p != NULL) {
            TRY(mark(hs, req, room, str_of(types[i]), event_id));
        }
        if (req->reply.status != 0) {
            return ERR_NONE;
        }
    }
    return reply_empty(req);
}
