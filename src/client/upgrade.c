/* A room moves into a new one of another version: what it was is told there, what leads to it leads
 * there, and the old room is closed with a tombstone. */
#include "client/upgrade.h"

#include "client/access.h"
#include "client/create.h"
#include "engine/account_data.h"
#include "engine/current.h"
#include "event/mxid.h"

enum { POWER_FULL = 100, POWER_CLOSED = 50 };

struct upgrade {
    struct hs *hs;
    struct req *req;
    struct room *old;
    struct room *new;
    const struct room_version *version;
    struct json *body;   /* of the new room */
    struct json *levels; /* what its power levels end up as; NULL: as they are made */
};

/* State that the new room begins with, as the old one has it. */
static const char *const copied[] = {
    "m.room.join_rules",         "m.room.name",         "m.room.topic",
    "m.room.history_visibility", "m.room.guest_access", "m.room.avatar",
    "m.room.encryption",         "m.room.server_acl",   "m.room.related_groups",
};

static void push_state(struct upgrade *u, const struct event *ev)
{
    struct json *states = json_get_array(u->body, "initial_state");
    struct json *state = json_push_object(states);
    json_put_text(state, "type", ev->type);
    json_put_text(state, "state_key", ev->state_key);
    json_put(state, STR("content"), json_copy(u->req->a, ev->content));
}

/* All of one type, as far as one turn goes; `bans`: memberships, and of them only those. */
static enum err copy_type(struct upgrade *u, const char *type, bool bans)
{
    struct query q;
    int64_t name;
    int64_t *nids = arena_array(u->req->a, UPGRADE_COPIED_MAX, sizeof(*nids));
    size_t n = 0;
    TRY(store_name_find(u->hs->store, str_of(type), &name));
    if (bans) {
        query_start(&q, u->hs->store, STMT_MEMBER_LIST, "it", u->old->nid, STR("ban"));
    } else {
        query_start(&q, u->hs->store, STMT_CURRENT_OF_TYPE, "ii", u->old->nid, name);
    }
    while (n < UPGRADE_COPIED_MAX && query_next(&q)) {
        nids[n] = query_int(&q, bans ? 2 : 0);
        n++;
    }
    TRY(query_end(&q));
    for (size_t i = 0; i < n; i++) {
        struct stored *s;
        TRY(event_get(u->hs, nids[i], &s));
        if (s->redacted_by.p == NULL) {
            push_state(u, s->ev);
        }
    }
    return ERR_NONE;
}

static enum err copy_state(struct upgrade *u, bool is_space)
{
    for (size_t i = 0; i < COUNT_OF(copied); i++) {
        struct stored *s;
        TRY(current_get(u->hs, u->old, str_of(copied[i]), STR(""), &s));
        if (s != NULL && s->redacted_by.p == NULL) {
            push_state(u, s->ev);
        }
    }
    TRY(copy_type(u, "m.room.member", true));
    return is_space ? copy_type(u, "m.space.child", false) : ERR_NONE;
}

/* The highest level that making the new room asks for. */
static int64_t level_needed(const struct json *levels)
{
    int64_t most = json_get_int(levels, "state_default", 50);
    int64_t ban = json_get_int(levels, "ban", 50);
    const struct json *events = json_get_object(levels, "events");
    most = ban > most ? ban : most;
    for (const struct json *x = json_first(events); x != NULL; x = json_next(x)) {
        int64_t level = 0;
        (void)json_int(x, &level);
        most = level > most ? level : most;
    }
    return most;
}

/* The old levels, with power enough for the one who upgrades until the room stands. From version 12
 * on creators are not among the users. */
static enum err copy_levels(struct upgrade *u)
{
    struct json *content;
    TRY(current_content(u->hs, u->old, STR("m.room.power_levels"), STR(""), &content));
    struct json *levels = content == NULL ? json_object(u->req->a) : json_copy(u->req->a, content);
    struct json *users = json_get_object(levels, "users");
    users = users == NULL ? json_put_object(levels, STR("users")) : users;
    if (u->version->privileged_creators) {
        const struct json *more = json_get_array(u->req->body, "additional_creators");
        json_remove(users, u->req->user_id);
        for (const struct json *x = json_first(more); x != NULL; x = json_next(x)) {
            json_remove(users, json_text(x));
        }
    } else {
        const char *self = arena_str(u->req->a, u->req->user_id).p;
        int64_t own = json_get_int(users, self, json_get_int(levels, "users_default", 0));
        int64_t needed = level_needed(levels);
        if (u->old->version->privileged_creators) {
            json_put_int(users, self, needed > POWER_FULL ? needed : POWER_FULL);
        } else if (own < needed) {
            u->levels = json_copy(u->req->a, levels);
            json_put_int(users, self, needed);
        }
    }
    json_put(u->body, STR("power_level_content_override"), levels);
    return ERR_NONE;
}

/* The body of the new room; tombstone absent: the new room has to come first. */
static enum err describe(struct upgrade *u, struct str tombstone)
{
    struct json *create;
    TRY(current_content(u->hs, u->old, STR("m.room.create"), STR(""), &create));
    u->body = json_object(u->req->a);
    json_put_text(u->body, "room_version", u->version->name);
    (void)json_put_array(u->body, STR("initial_state"));
    struct json *content = json_put_object(u->body, STR("creation_content"));
    json_put_text(content, "type", json_get_text(create, "type"));
    if (json_get(create, STR("m.federate")) != NULL) {
        json_put_bool(content, "m.federate", json_get_bool(create, "m.federate", true));
    }
    struct json *predecessor = json_put_object(content, STR("predecessor"));
    json_put_text(predecessor, "room_id", u->old->id);
    json_put_text(predecessor, "event_id", tombstone);
    const struct json *creators = json_get_array(u->req->body, "additional_creators");
    if (creators != NULL && u->version->privileged_creators) {
        json_put(content, STR("additional_creators"), json_copy(u->req->a, creators));
    }
    TRY(copy_levels(u));
    return copy_state(u, str_eq(json_get_text(create, "type"), STR("m.space")));
}

static enum err send_state(struct upgrade *u, struct room *room, const char *type,
                           const struct json *content, struct stored **sent)
{
    struct send_parts parts = {
        .sender = u->req->user_id, .type = str_of(type), .state_key = STR(""), .content = content};
    return access_send(u->hs, u->req, room, &parts, sent);
}

static enum err send_tombstone(struct upgrade *u, struct str replacement, struct stored **sent)
{
    struct json *content = json_object(u->req->a);
    json_put_text(content, "body", STR("This room has been replaced"));
    json_put_text(content, "replacement_room", replacement);
    return send_state(u, u->old, "m.room.tombstone", content, sent);
}

/* Before version 12 the two name each other, so the new room's id is chosen first; from then on the
 * new room's id follows from its first event. *ok false: the refusal is set. */
static enum err make_both(struct upgrade *u, bool *ok)
{
    struct stored *tombstone = NULL;
    struct str room_id = STR_ABSENT;
    *ok = false;
    if (!u->version->room_id_is_create_hash) {
        room_id = create_room_id(u->hs, u->req->a);
        TRY(send_tombstone(u, room_id, &tombstone));
        if (tombstone == NULL) {
            return ERR_NONE;
        }
    }
    TRY(describe(u, tombstone == NULL ? STR_ABSENT : tombstone->ev->id));
    TRY(create_like(u->hs, u->req, u->body, room_id, &u->new));
    if (u->new == NULL) {
        return ERR_NONE;
    }
    if (tombstone == NULL) {
        TRY(send_tombstone(u, u->new->id, &tombstone));
    }
    *ok = tombstone != NULL;
    return ERR_NONE;
}

/* The aliases lead to the new room, which says so itself. */
static enum err move_aliases(struct upgrade *u)
{
    struct stored *canonical;
    struct stored *sent;
    TRY(store_run(u->hs->store, STMT_ALIAS_MOVE, "tt", u->new->id, u->old->id));
    if (u->old->is_published) {
        TRY(room_publish(u->hs, u->old, false));
        TRY(room_publish(u->hs, u->new, true));
    }
    TRY(current_get(u->hs, u->old, STR("m.room.canonical_alias"), STR(""), &canonical));
    if (canonical == NULL || canonical->redacted_by.p != NULL ||
        json_count(canonical->ev->content) == 0) {
        return ERR_NONE;
    }
    TRY(send_state(u, u->new, "m.room.canonical_alias", canonical->ev->content, &sent));
    if (sent != NULL) {
        TRY(send_state(u, u->old, "m.room.canonical_alias", json_object(u->req->a), &sent));
    }
    return ERR_NONE;
}

/* Nobody but moderators speaks or invites in the old room any more, where the one who upgrades may
 * say so. */
static enum err close_old(struct upgrade *u)
{
    struct json *content;
    struct stored *sent;
    struct power power;
    TRY(current_power(u->hs, u->old, &power));
    TRY(current_content(u->hs, u->old, STR("m.room.power_levels"), STR(""), &content));
    int64_t floor = json_get_int(content, "users_default", 0) + 1;
    floor = floor > POWER_CLOSED ? floor : POWER_CLOSED;
    int64_t own = power_of_user(&power, u->req->user_id);
    if (content == NULL || own < floor ||
        own < power_to_send(&power, STR("m.room.power_levels"), true)) {
        return ERR_NONE;
    }
    struct json *levels = json_copy(u->req->a, content);
    if (json_get_int(levels, "events_default", 0) < floor) {
        json_put_int(levels, "events_default", floor);
    }
    if (json_get_int(levels, "invite", 0) < floor) {
        json_put_int(levels, "invite", floor);
    }
    return send_state(u, u->old, "m.room.power_levels", levels, &sent);
}

static enum err finish(struct upgrade *u)
{
    struct stored *sent;
    TRY(move_aliases(u));
    if (u->levels != NULL) {
        TRY(send_state(u, u->new, "m.room.power_levels", u->levels, &sent));
    }
    TRY(close_old(u));
    TRY(upgrade_carry(u->hs, u->req, u->new));
    if (u->req->reply.status != 0) {
        return ERR_NONE;
    }
    hs_log(u->hs, LOG_INFO, "room %.*s is now %.*s", STR_ARG(u->old->id), STR_ARG(u->new->id));
    struct json *out = json_object(u->req->a);
    json_put_text(out, "replacement_room", u->new->id);
    return reply_json(u->req, out);
}

enum err upgrade_post(struct hs *hs, struct req *req)
{
    struct upgrade u = {.hs = hs, .req = req};
    struct power power;
    bool ok;
    enum err err = room_find(hs, req->params[0], &u.old);
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "that room is not here");
    }
    TRY(err);
    TRY(access_joined(hs, req, &u.old, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    u.version = room_version_find(json_get_text(req->body, "new_version"));
    if (u.version == NULL) {
        return reply_error(req, 400, "M_UNSUPPORTED_ROOM_VERSION",
                           "this room version is not served");
    }
    TRY(current_power(hs, u.old, &power));
    if (power_of_user(&power, req->user_id) <
        power_to_send(&power, STR("m.room.tombstone"), true)) {
        return reply_forbidden(req, "your power is not enough to upgrade this room");
    }
    TRY(make_both(&u, &ok));
    return ok ? finish(&u) : ERR_NONE;
}

/* --- what users said of the old room ------------------------------------------------------ */

static enum err carry_direct(struct hs *hs, struct req *req, const struct room *old,
                             const struct room *room)
{
    struct json *direct;
    bool changed = false;
    TRY(account_data_get(hs, req->a, req->user, 0, STR("m.direct"), &direct));
    for (struct json *of = json_first(direct); of != NULL; of = json_next(of)) {
        bool has_old = false;
        bool has_new = false;
        for (const struct json *x = json_first(of); x != NULL; x = json_next(x)) {
            has_old = has_old || str_eq(json_text(x), old->id);
            has_new = has_new || str_eq(json_text(x), room->id);
        }
        if (has_old && !has_new) {
            json_push_text(of, room->id);
            changed = true;
        }
    }
    return changed ? account_data_put(hs, req->user, 0, STR("m.direct"), direct) : ERR_NONE;
}

enum err upgrade_carry(struct hs *hs, struct req *req, const struct room *room)
{
    struct json *create;
    struct json *tags;
    struct json *already;
    struct room *old;
    TRY(current_content(hs, room, STR("m.room.create"), STR(""), &create));
    struct str old_id = json_get_text(json_get_object(create, "predecessor"), "room_id");
    enum err err = old_id.n == 0 ? ERR_ABSENT : room_find(hs, old_id, &old);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    TRY(carry_direct(hs, req, old, room));
    TRY(account_data_get(hs, req->a, req->user, old->nid, STR("m.tag"), &tags));
    TRY(account_data_get(hs, req->a, req->user, room->nid, STR("m.tag"), &already));
    return tags == NULL || already != NULL
               ? ERR_NONE
               : account_data_put(hs, req->user, room->nid, STR("m.tag"), tags);
}
