/* Rows of the current state and of memberships. */
#include "engine/current.h"

#include "engine/client_event.h"
#include "engine/gate.h"
#include "engine/remote_keys.h"
#include "engine/snapshot.h"
#include "event/mxid.h"
#include "room/acl.h"

struct move {
    struct hs *hs;
    struct room *room;
    int64_t position;
    enum err err;
};

static enum err put_profile(struct hs *hs, int64_t user, const struct json *content)
{
    return store_run(hs->store, STMT_PROFILE_PUT, "itt", user,
                     json_get_text(content, "displayname"), json_get_text(content, "avatar_url"));
}

static enum err put_member(struct hs *hs, struct room *room, const struct stored *s,
                           struct str user_id, int64_t position)
{
    int64_t user;
    int64_t server;
    struct str membership = event_membership(s->ev);
    bool is_ours = hs_is_ours(hs, user_id);
    if (!mxid_is_user(user_id) || membership.n == 0) {
        return ERR_NONE;
    }
    TRY(store_name(hs->store, user_id, &user));
    TRY(store_name(hs->store, mxid_server(user_id), &server));
    TRY(store_run(hs->store, STMT_MEMBER_PUT, "iitiiiit", user, room->nid, membership, s->nid,
                  position, (int64_t)is_ours, server, STR_ABSENT));
    if (is_ours) {
        gate_news(hs, user);
    }
    if (!str_eq(membership, STR("join"))) {
        return remote_keys_parted(hs, user, room->nid, is_ours);
    }
    return is_ours ? ERR_NONE : put_profile(hs, user, s->ev->content);
}

static enum err drop_member(struct hs *hs, const struct room *room, int64_t user,
                            struct str user_id)
{
    TRY(store_run(hs->store, STMT_MEMBER_DROP, "ii", user, room->nid));
    return remote_keys_parted(hs, user, room->nid, hs_is_ours(hs, user_id));
}

static enum err change(struct hs *hs, struct room *room, struct str type, struct str state_key,
                       const struct stored *s, int64_t position)
{
    int64_t type_name;
    int64_t key_name;
    bool is_member = str_eq(type, STR("m.room.member"));
    TRY(store_name(hs->store, type, &type_name));
    TRY(store_name(hs->store, state_key, &key_name));
    state_row_forget(hs, room->nid, type_name, key_name);
    if (s == NULL) {
        TRY(store_run(hs->store, STMT_CURRENT_DROP, "iii", room->nid, type_name, key_name));
        return is_member ? drop_member(hs, room, key_name, state_key) : ERR_NONE;
    }
    TRY(store_run(hs->store, STMT_CURRENT_PUT, "iiii", room->nid, type_name, key_name, s->nid));
    return is_member ? put_member(hs, room, s, state_key, position) : ERR_NONE;
}

static void changed(void *ctx, struct str type, struct str state_key, struct str event_id)
{
    struct move *move = ctx;
    struct stored *s = NULL;
    if (move->err == ERR_NONE && event_id.p != NULL) {
        move->err = event_find(move->hs, event_id, &s);
    }
    if (move->err == ERR_NONE) {
        move->err = change(move->hs, move->room, type, state_key, s, move->position);
    }
}

enum err current_move(struct hs *hs, struct room *room, int64_t snapshot, const struct stored *ev,
                      int64_t position)
{
    int64_t old = room->snapshot;
    if (old == snapshot) {
        return ERR_NONE;
    }
    TRY(room_set_snapshot(hs, room, snapshot));
    TRY(store_run(hs->store, STMT_ROOM_STATE_PUT, "iii", room->nid, position, snapshot));
    if (ev != NULL && ev->after == snapshot && ev->before == old && event_is_state(ev->ev)) {
        return change(hs, room, ev->ev->type, ev->ev->state_key, ev, position);
    }
    struct state from;
    struct state to;
    struct move move = {.hs = hs, .room = room, .position = position};
    TRY(snapshot_load(hs, hs->turn, old, &from));
    TRY(snapshot_load(hs, hs->turn, snapshot, &to));
    state_diff(&from, &to, changed, &move);
    return move.err;
}

enum err current_get(struct hs *hs, const struct room *room, struct str type, struct str state_key,
                     struct stored **out)
{
    int64_t type_name;
    int64_t key_name;
    int64_t event = 0;
    *out = NULL;
    TRY(store_name_find(hs->store, type, &type_name));
    TRY(store_name_find(hs->store, state_key, &key_name));
    if (type_name != 0 && key_name != 0 &&
        !state_row_find(hs, room->nid, type_name, key_name, &event)) {
        TRY(store_get_int(hs->store, &event, 0, STMT_CURRENT_GET, "iii", room->nid, type_name,
                          key_name));
        state_row_keep(hs, room->nid, type_name, key_name, event);
    }
    return event == 0 ? ERR_NONE : event_get(hs, event, out);
}

enum err current_content(struct hs *hs, const struct room *room, struct str type,
                         struct str state_key, struct json **out)
{
    struct stored *s;
    TRY(current_get(hs, room, type, state_key, &s));
    *out = s == NULL ? NULL : client_content(hs->turn, s);
    return ERR_NONE;
}

enum err current_allows_server(struct hs *hs, const struct room *room, struct str server,
                               bool *allows)
{
    struct json *content;
    TRY(current_content(hs, room, STR("m.room.server_acl"), STR(""), &content));
    *allows = acl_allows(content, server);
    return ERR_NONE;
}

static const struct event *view_get(void *ctx, struct str type, struct str state_key)
{
    struct current_view *view = ctx;
    struct stored *s = NULL;
    enum err err = current_get(view->hs, view->room, type, state_key, &s);
    if (err != ERR_NONE && view->err == ERR_NONE) {
        view->err = err;
    }
    return err == ERR_NONE && s != NULL ? s->ev : NULL;
}

struct auth_view current_view(struct current_view *view)
{
    return (struct auth_view){view, view_get};
}

enum err current_power(struct hs *hs, const struct room *room, struct power *out)
{
    struct stored *create;
    struct stored *levels;
    TRY(current_get(hs, room, STR("m.room.create"), STR(""), &create));
    TRY(current_get(hs, room, STR("m.room.power_levels"), STR(""), &levels));
    *out = power_of(create == NULL ? NULL : create->ev, levels == NULL ? NULL : levels->ev);
    return ERR_NONE;
}

enum err current_membership(struct hs *hs, int64_t user, int64_t room, struct arena *a,
                            struct str *membership, bool *forgotten)
{
    struct query q;
    *membership = STR_ABSENT;
    enum err err = query_one(&q, hs->store, STMT_MEMBER_GET, "ii", user, room);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    *membership = query_str(&q, a, 0);
    if (forgotten != NULL) {
        *forgotten = query_int(&q, 3) != 0;
    }
    return query_end(&q);
}

enum err current_put_outside(struct hs *hs, struct room *room, struct str user_id,
                             struct str membership, int64_t event, struct str stripped)
{
    int64_t user;
    int64_t server;
    int64_t position;
    TRY(store_name(hs->store, user_id, &user));
    TRY(store_name(hs->store, mxid_server(user_id), &server));
    TRY(store_position_next(hs->store, &position));
    TRY(store_run(hs->store, STMT_MEMBER_PUT, "iitiiiit", user, room->nid, membership, event,
                  position, (int64_t)1, server, stripped));
    TRY(room_touch(hs, room, position));
    gate_news(hs, user);
    return ERR_NONE;
}

enum err current_is_joined(struct hs *hs, int64_t room, bool *joined)
{
    int64_t user;
    TRY(store_get_int(hs->store, &user, 0, STMT_MEMBER_LOCAL, "iti", room, STR("join"),
                      hs->identity.server_name));
    *joined = user != 0;
    return ERR_NONE;
}
