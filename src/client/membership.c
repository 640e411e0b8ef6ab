/* Who is in a room. */
#include "client/membership.h"

#include "base/numbers.h"
#include "client/upgrade.h"
#include "engine/current.h"
#include "engine/remote.h"
#include "engine/restricted.h"
#include "engine/user_profile.h"
#include "event/mxid.h"

enum { SERVERS_MAX = 16 };

enum err membership_content(struct hs *hs, struct arena *a, int64_t user, const char *membership,
                            struct json **out)
{
    struct user_profile profile;
    *out = json_object(a);
    json_put_text(*out, "membership", str_of(membership));
    enum err err = user_profile_find(hs, a, user, &profile);
    if (err != ERR_ABSENT) {
        TRY(err);
    }
    user_profile_put(*out, &profile, STR_ABSENT);
    return ERR_NONE;
}

static enum err list_rooms(struct hs *hs, struct req *req, const char *membership,
                           struct numbers *out)
{
    struct query q;
    *out = (struct numbers){0};
    query_start(&q, hs->store, STMT_MEMBER_ROOMS_OF, "it", req->user, str_of(membership));
    while (query_next(&q)) {
        numbers_add(req->a, out, query_int(&q, 0));
    }
    return query_end(&q);
}

enum err membership_everywhere(struct hs *hs, struct req *req, const char *membership,
                               const struct json *content)
{
    struct numbers rooms;
    struct send_parts parts = {.sender = req->user_id,
                               .type = STR("m.room.member"),
                               .state_key = req->user_id,
                               .content = content};
    TRY(list_rooms(hs, req, membership, &rooms));
    for (size_t i = 0; i < rooms.n; i++) {
        struct room *room;
        struct verdict verdict;
        struct stored *sent;
        TRY(room_get(hs, rooms.at[i], &room));
        if (room->snapshot != 0) {
            TRY(send_event(hs, room, &parts, &verdict, &sent));
        }
    }
    return ERR_NONE;
}

static enum err send_member(struct hs *hs, struct req *req, struct room *room, struct str user_id,
                            const struct json *content, struct stored **sent)
{
    struct send_parts parts = {.sender = req->user_id,
                               .type = STR("m.room.member"),
                               .state_key = user_id,
                               .content = content};
    return access_send(hs, req, room, &parts, sent);
}

static enum err reply_room(struct req *req, struct str room_id)
{
    struct json *out = json_object(req->a);
    json_put_text(out, "room_id", room_id);
    return reply_json(req, out);
}

/* What a join may carry besides: members that mean something are ours to write. */
static void put_custom(struct json *content, const struct json *body, struct arena *a)
{
    static const char *const own[] = {"membership",         "displayname",
                                      "avatar_url",         "third_party_signed",
                                      "third_party_invite", "join_authorised_via_users_server"};
    for (const struct json *m = json_first(body); m != NULL; m = json_next(m)) {
        bool is_own = false;
        for (size_t i = 0; i < COUNT_OF(own); i++) {
            is_own = is_own || str_eq(json_key(m), str_of(own[i]));
        }
        if (!is_own) {
            json_put(content, json_key(m), json_copy(a, m));
        }
    }
}

/* --- join ------------------------------------------------------------------------------------- */

/* Names who lets the user in by the rooms he is in, where the join rule asks for that. */
static enum err authorise(struct hs *hs, struct req *req, const struct room *room,
                          struct str membership, struct json *content)
{
    bool applies;
    bool fits;
    bool known;
    struct str authoriser;
    TRY(restricted_applies(hs, room, &applies));
    if (!applies || str_eq(membership, STR("invite"))) {
        return ERR_NONE;
    }
    TRY(restricted_fits(hs, room, req->user, &fits, &known));
    if (!fits) {
        return reply_forbidden(req, "you are in none of the rooms whose members may join");
    }
    TRY(restricted_authoriser(hs, req->a, room, &authoriser));
    json_put_text(content, "join_authorised_via_users_server", authoriser);
    return ERR_NONE;
}

static enum err refuse_guest(struct req *req)
{
    return reply_error(req, 403, "M_GUEST_ACCESS_FORBIDDEN", "guests may not join this room");
}

/* Guests come in where the room says that they may. */
static enum err check_guest(struct hs *hs, struct req *req, const struct room *room)
{
    struct json *access = NULL;
    if (req->is_guest) {
        TRY(current_content(hs, room, STR("m.room.guest_access"), STR(""), &access));
    }
    return !req->is_guest || str_eq(json_get_text(access, "guest_access"), STR("can_join"))
               ? ERR_NONE
               : refuse_guest(req);
}

enum err membership_enter(struct hs *hs, struct req *req, const struct room *room,
                          struct json *content, bool *is_inside)
{
    struct str membership;
    TRY(current_membership(hs, req->user, room->nid, req->a, &membership, NULL));
    *is_inside = str_eq(membership, STR("join"));
    if (*is_inside) {
        return ERR_NONE;
    }
    TRY(check_guest(hs, req, room));
    return req->reply.status != 0 ? ERR_NONE : authorise(hs, req, room, membership, content);
}

static enum err join_here(struct hs *hs, struct req *req, struct room *room)
{
    struct json *content;
    struct stored *sent;
    bool is_inside;
    TRY(membership_content(hs, req->a, req->user, "join", &content));
    put_custom(content, req->body, req->a);
    TRY(membership_enter(hs, req, room, content, &is_inside));
    if (is_inside) {
        return reply_room(req, room->id);
    }
    if (req->reply.status != 0) {
        return ERR_NONE;
    }
    TRY(send_member(hs, req, room, req->user_id, content, &sent));
    if (sent == NULL) {
        return ERR_NONE;
    }
    TRY(upgrade_carry(hs, req, room));
    return reply_room(req, room->id);
}

/* Servers of who sent stripped state: the user's member event, or the rest of it. */
static size_t put_senders(const struct json *states, struct str user_id, bool of_user,
                          struct str *at, size_t n)
{
    for (const struct json *s = json_first(states); s != NULL && n < SERVERS_MAX - 1;
         s = json_next(s)) {
        at[n] = mxid_server(json_get_text(s, "sender"));
        n += at[n].n > 0 && str_eq(json_get_text(s, "state_key"), user_id) == of_user;
    }
    return n;
}

enum err membership_servers(struct hs *hs, struct req *req, struct str room_id,
                            const struct room *room, struct strs *out)
{
    struct str *at = arena_array(req->a, SERVERS_MAX, sizeof(*at));
    size_t n = 0;
    struct strs named = http_query_all(req->a, req->head->query, STR("via"));
    struct strs older = http_query_all(req->a, req->head->query, STR("server_name"));
    for (size_t i = 0; i < named.n + older.n && n < SERVERS_MAX - 2; i++) {
        at[n] = i < named.n ? named.at[i] : older.at[i - named.n];
        n++;
    }
    struct str stripped = STR_ABSENT;
    struct json *states = NULL;
    if (room != NULL) {
        TRY(store_get_str(hs->store, req->a, &stripped, STMT_MEMBER_STRIPPED, "ii", req->user,
                          room->nid));
    }
    if (stripped.n > 0 && json_parse(req->a, stripped, &states, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    n = put_senders(states, req->user_id, true, at, n);
    n = put_senders(states, req->user_id, false, at, n);
    at[n] = mxid_server(room_id);
    n += at[n].n > 0;
    *out = (struct strs){at, n};
    return ERR_NONE;
}

static enum err join_room(struct hs *hs, struct req *req, struct str room_id)
{
    struct room *room = NULL;
    struct strs servers;
    struct json *content;
    bool is_resident = false;
    if (!mxid_is_room(room_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "this is neither a room id nor an alias");
    }
    enum err err = room_find(hs, room_id, &room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_is_joined(hs, room->nid, &is_resident));
    }
    if (is_resident) {
        return join_here(hs, req, room);
    }
    if (req->is_guest) { /* whether they may, a room elsewhere tells its members only */
        return refuse_guest(req);
    }
    TRY(membership_servers(hs, req, room_id, room, &servers));
    TRY(membership_content(hs, req->a, req->user, "join", &content));
    put_custom(content, req->body, req->a);
    return hs->remote->enter(hs, req, REMOTE_JOIN, room_id, servers, content);
}

enum err join_post(struct hs *hs, struct req *req)
{
    struct str what = req->params[0];
    struct str room_id;
    if (what.n == 0 || what.p[0] != '#') {
        return join_room(hs, req, what);
    }
    struct str server = mxid_server(what);
    struct str alias =
        server.n > 0 ? what
                     : arena_fmt(req->a, "%.*s:%.*s", STR_ARG(what), STR_ARG(hs->identity.server));
    TRY(store_get_str(hs->store, req->a, &room_id, STMT_ALIAS_GET, "t", alias));
    if (room_id.p != NULL) {
        return join_room(hs, req, room_id);
    }
    if (server.n > 0 && hs_is_ours(hs, what)) {
        return reply_not_found(req, "there is no room with this alias");
    }
    if (req->is_guest) {
        return refuse_guest(req);
    }
    return hs->remote->alias(hs, req, what, REMOTE_JOIN);
}

enum err room_join_post(struct hs *hs, struct req *req)
{
    return join_room(hs, req, req->params[0]);
}

/* --- invite -------------------------------------------------------------------------------------
 */

enum err membership_invite(struct hs *hs, struct req *req, struct room *room, struct str user_id,
                           bool is_direct, struct str reason, bool answers)
{
    struct json *content;
    struct stored *sent;
    int64_t user;
    TRY(store_name(hs->store, user_id, &user));
    TRY(membership_content(hs, req->a, user, "invite", &content));
    if (is_direct) {
        json_put_bool(content, "is_direct", true);
    }
    json_put_text(content, "reason", reason);
    if (hs_is_ours(hs, user_id)) {
        TRY(send_member(hs, req, room, user_id, content, &sent));
        return sent != NULL && answers ? reply_empty(req) : ERR_NONE;
    }
    struct event *ev;
    const char *why;
    struct send_parts parts = {.sender = req->user_id,
                               .type = STR("m.room.member"),
                               .state_key = user_id,
                               .content = content};
    enum err err = send_build(hs, req->a, room, &parts, &ev, &why);
    if (err == ERR_SYNTAX || err == ERR_LIMIT) {
        return reply_error(req, 400, "M_BAD_JSON", "%s", why);
    }
    TRY(err);
    struct current_view view = {.hs = hs, .room = room};
    struct verdict verdict = auth_check(req->a, ev, current_view(&view));
    TRY(view.err);
    if (verdict.kind != VERDICT_ACCEPT) {
        return reply_forbidden(req, verdict.why);
    }
    return hs->remote->invite(hs, answers ? req : NULL, room, ev);
}

enum err invite_post(struct hs *hs, struct req *req)
{
    struct room *room;
    bool ok;
    struct str user_id = json_get_text(req->body, "user_id");
    if (json_get(req->body, STR("medium")) != NULL) {
        return reply_error(req, 400, "M_SERVER_NOT_TRUSTED",
                           "this server asks no identity server; invite by user id");
    }
    TRY(access_joined(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (str_is_absent(user_id)) {
        return reply_error(req, 400, "M_MISSING_PARAM", "'user_id' is missing");
    }
    if (!mxid_is_user(user_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'user_id' is no user id");
    }
    return membership_invite(hs, req, room, user_id, false, json_get_text(req->body, "reason"),
                             true);
}

/* --- leave and be made to ------------------------------------------------------------------------
 */

static enum err change_member(struct hs *hs, struct req *req, struct str user_id,
                              const char *membership)
{
    struct room *room;
    struct stored *sent;
    bool ok;
    TRY(access_joined(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (!mxid_is_user(user_id)) {
        return reply_error(req, 400, "M_INVALID_PARAM", "'user_id' is no user id");
    }
    struct json *content = json_object(req->a);
    json_put_text(content, "membership", str_of(membership));
    json_put_text(content, "reason", json_get_text(req->body, "reason"));
    TRY(send_member(hs, req, room, user_id, content, &sent));
    return sent == NULL ? ERR_NONE : reply_empty(req);
}

/* Of the user in the body, told to members of the room only; *ok false: the refusal is set. */
static enum err target_membership(struct hs *hs, struct req *req, struct str *membership, bool *ok)
{
    struct room *room;
    int64_t user;
    *membership = STR_ABSENT;
    TRY(access_joined(hs, req, &room, ok));
    if (!*ok) {
        return ERR_NONE;
    }
    TRY(store_name_find(hs->store, json_get_text(req->body, "user_id"), &user));
    return current_membership(hs, user, room->nid, req->a, membership, NULL);
}

enum err kick_post(struct hs *hs, struct req *req)
{
    struct str membership;
    bool ok;
    TRY(target_membership(hs, req, &membership, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (membership.p == NULL || str_eq(membership, STR("leave")) ||
        str_eq(membership, STR("ban"))) {
        return reply_forbidden(req, "that user is not in the room");
    }
    return change_member(hs, req, json_get_text(req->body, "user_id"), "leave");
}

enum err ban_post(struct hs *hs, struct req *req)
{
    return change_member(hs, req, json_get_text(req->body, "user_id"), "ban");
}

enum err unban_post(struct hs *hs, struct req *req)
{
    struct str membership;
    bool ok;
    TRY(target_membership(hs, req, &membership, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (!str_eq(membership, STR("ban"))) {
        return reply_forbidden(req, "that user is not banned");
    }
    return change_member(hs, req, json_get_text(req->body, "user_id"), "leave");
}

enum err leave_post(struct hs *hs, struct req *req)
{
    struct room *room;
    struct str membership = STR_ABSENT;
    struct stored *sent;
    struct strs servers;
    bool is_resident = false;
    enum err err = room_find(hs, req->params[0], &room);
    if (err != ERR_ABSENT) {
        TRY(err);
        TRY(current_membership(hs, req->user, room->nid, req->a, &membership, NULL));
        TRY(current_is_joined(hs, room->nid, &is_resident));
    }
    if (str_is_absent(membership)) {
        return reply_error(req, 404, "M_NOT_FOUND", "you are not in that room");
    }
    if (str_eq(membership, STR("leave"))) {
        return reply_empty(req);
    }
    if (!is_resident) {
        TRY(membership_servers(hs, req, room->id, room, &servers));
        return hs->remote->leave(hs, req, room, servers);
    }
    struct json *content = json_object(req->a);
    json_put_text(content, "membership", STR("leave"));
    json_put_text(content, "reason", json_get_text(req->body, "reason"));
    TRY(send_member(hs, req, room, req->user_id, content, &sent));
    return sent == NULL ? ERR_NONE : reply_empty(req);
}

enum err forget_post(struct hs *hs, struct req *req)
{
    struct room *room;
    struct str membership;
    enum err err = room_find(hs, req->params[0], &room);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "that room is not here");
    }
    TRY(err);
    TRY(current_membership(hs, req->user, room->nid, req->a, &membership, NULL));
    if (!str_eq(membership, STR("leave")) && !str_eq(membership, STR("ban"))) {
        return reply_error(req, 400, "M_UNKNOWN", "leave the room before you forget it");
    }
    TRY(store_run(hs->store, STMT_MEMBER_FORGET, "ii", req->user, room->nid));
    return reply_empty(req);
}

enum err joined_rooms_get(struct hs *hs, struct req *req)
{
    struct query q;
    struct json *out = json_object(req->a);
    struct json *rooms = json_put_array(out, STR("joined_rooms"));
    query_start(&q, hs->store, STMT_MEMBER_ROOMS_OF, "it", req->user, STR("join"));
    while (query_next(&q)) {
        json_push_text(rooms, query_str(&q, req->a, 1));
    }
    TRY(query_end(&q));
    return reply_json(req, out);
}
