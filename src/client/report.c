/* Writing reports down. */
#include "client/report.h"

#include "client/access.h"
#include "event/mxid.h"

static enum err keep(struct hs *hs, struct req *req, struct str room_id, struct str target)
{
    int64_t recent;
    struct str reason = json_get_text(req->body, "reason");
    TRY(store_get_int(hs->store, &recent, 0, STMT_REPORT_COUNT, "ii", req->user,
                      hs->now.unix_ms - REPORTS_SPAN_MS));
    if (recent >= REPORTS_MAX) {
        return reply_error(req, 429, "M_LIMIT_EXCEEDED", "you have reported enough for today");
    }
    if (reason.n > REPORT_REASON_MAX) {
        return reply_error(req, 400, "M_TOO_LARGE", "a reason has at most %d bytes",
                           REPORT_REASON_MAX);
    }
    TRY(store_run(hs->store, STMT_REPORT_PUT, "iittit", hs->now.unix_ms, req->user, room_id, target,
                  json_get_int(req->body, "score", 0), reason));
    hs_log(hs, LOG_WARN, "%.*s reports %.*s", STR_ARG(req->user_id), STR_ARG(target));
    return reply_empty(req);
}

enum err report_room_post(struct hs *hs, struct req *req)
{
    struct room *room;
    enum err err = room_find(hs, req->params[0], &room);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "that room is not here");
    }
    TRY(err);
    return keep(hs, req, room->id, room->id);
}

enum err report_event_post(struct hs *hs, struct req *req)
{
    struct access access;
    struct stored *s;
    bool ok;
    TRY(access_read(hs, req, &access, &ok));
    if (!ok) { /* the specification wants the same answer for a room as for an event */
        return reply_not_found(req, "there is no such event, or you may not see it");
    }
    TRY(access_event(hs, req, &access, &s));
    return s == NULL ? ERR_NONE : keep(hs, req, access.room->id, s->ev->id);
}

enum err report_user_post(struct hs *hs, struct req *req)
{
    int64_t user;
    if (!mxid_is_user(req->params[0])) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is no user id");
    }
    TRY(store_name_find(hs->store, req->params[0], &user));
    if (user != 0 && hs_is_ours(hs, req->params[0])) {
        TRY(store_get_int(hs->store, &user, 0, STMT_ACCOUNT_EXISTS, "i", user));
    }
    return user == 0 ? reply_not_found(req, "that user is not known here")
                     : keep(hs, req, STR_ABSENT, req->params[0]);
}
