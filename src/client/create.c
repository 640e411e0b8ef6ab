/* createRoom: a room from nothing, in the order the specification gives ("Creation"). */
#include "client/create.h"

#include "client/membership.h"
#include "engine/current.h"
#include "engine/door.h"
#include "engine/send.h"
#include "event/mxid.h"

enum { ROOM_ID_LENGTH = 18, INVITES_MAX = 100 };

struct preset {
    const char *name;
    const char *join_rule, *history, *guest;
    bool trusted; /* invited users get the creator's power */
};

static const struct preset presets[] = {
    {"private_chat", "invite", "shared", "can_join", false},
    {"trusted_private_chat", "invite", "shared", "can_join", true},
    {"public_chat", "public", "shared", "forbidden", false},
};

/* One creation under way. */
struct creation {
    struct hs *hs;
    struct req *req;
    const struct json *body; /* as of createRoom */
    const struct room_version *version;
    const struct preset *preset; /* NULL: the initial state is all there is */
    struct room *room;
    struct str room_id; /* chosen beforehand; absent: a new one */
    struct str alias;   /* whole, absent without one */
    bool is_refused;    /* a refusal is set as the reply */
};

static bool is_open(const struct creation *c)
{
    return !c->is_refused;
}

static enum err refuse(struct creation *c, const char *code, const char *why)
{
    c->is_refused = true;
    return reply_error(c->req, 400, code, "%s", why);
}

static enum err send(struct creation *c, const char *type, struct str state_key,
                     const struct json *content)
{
    struct stored *sent;
    struct send_parts parts = {.sender = c->req->user_id,
                               .type = arena_str(c->req->a, str_of(type)),
                               .state_key = state_key,
                               .content = content};
    if (!is_open(c)) {
        return ERR_NONE;
    }
    TRY(access_send(c->hs, c->req, c->room, &parts, &sent));
    if (sent == NULL && c->req->reply.status == 403) { /* by the rules of the room that was asked */
        struct str why = json_get_text(c->req->reply.json, "error");
        return refuse(c, "M_INVALID_ROOM_STATE", arena_str(c->req->a, why).p);
    }
    c->is_refused = sent == NULL;
    return ERR_NONE;
}

static enum err send_text(struct creation *c, const char *type, const char *key, struct str value)
{
    struct json *content = json_object(c->req->a);
    json_put_text(content, key, value);
    return send(c, type, STR(""), content);
}

static enum err choose(struct creation *c)
{
    const struct json *body = c->body;
    struct str version = json_get_text(body, "room_version");
    struct str preset = json_get_text(body, "preset");
    bool is_public = str_eq(json_get_text(body, "visibility"), STR("public"));
    c->version = version.p == NULL ? room_version_default() : room_version_find(version);
    if (c->version == NULL) {
        return refuse(c, "M_UNSUPPORTED_ROOM_VERSION", "this room version is not served");
    }
    preset = preset.p == NULL ? (is_public ? STR("public_chat") : STR("private_chat")) : preset;
    for (size_t i = 0; i < COUNT_OF(presets); i++) {
        if (str_eq(preset, str_of(presets[i].name))) {
            c->preset = &presets[i];
        }
    }
    return c->preset == NULL ? refuse(c, "M_INVALID_PARAM", "'preset' is not one of the three")
                             : ERR_NONE;
}

static enum err choose_alias(struct creation *c)
{
    struct str local = json_get_text(c->body, "room_alias_name");
    struct str taken;
    if (!is_open(c) || str_is_absent(local)) {
        return ERR_NONE;
    }
    c->alias = arena_fmt(c->req->a, "#%.*s:%.*s", STR_ARG(local), STR_ARG(c->hs->identity.server));
    if (!mxid_is_alias(c->alias) || str_is_empty(local)) {
        return refuse(c, "M_INVALID_PARAM", "'room_alias_name' makes no alias");
    }
    TRY(store_get_str(c->hs->store, c->req->a, &taken, STMT_ALIAS_GET, "t", c->alias));
    return taken.p == NULL ? ERR_NONE : refuse(c, "M_ROOM_IN_USE", "this alias is taken");
}

static bool has_text(const struct json *list, struct str text)
{
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        if (str_eq(json_text(x), text)) {
            return true;
        }
    }
    return false;
}

/* Version 12: those whom trusted_private_chat invites are creators too. */
static void put_creators(struct creation *c, struct json *content)
{
    const struct json *invited = json_get_array(c->body, "invite");
    struct json *creators = json_get_array(content, "additional_creators");
    for (const struct json *i = json_first(invited); i != NULL; i = json_next(i)) {
        if (creators == NULL) {
            creators = json_put_array(content, STR("additional_creators"));
        }
        if (mxid_is_user(json_text(i)) && !has_text(creators, json_text(i))) {
            json_push_text(creators, json_text(i));
        }
    }
}

static struct json *create_content(struct creation *c)
{
    struct json *given = json_get_object(c->body, "creation_content");
    struct json *content = given == NULL ? json_object(c->req->a) : json_copy(c->req->a, given);
    json_remove(content, STR("creator"));
    if (c->version->privileged_creators && c->preset != NULL && c->preset->trusted) {
        put_creators(c, content);
    }
    if (!c->version->implicit_creator) {
        json_put_text(content, "creator", c->req->user_id);
    }
    json_put_text(content, "room_version", c->version->name);
    return content;
}

struct str create_room_id(struct hs *hs, struct arena *a)
{
    return arena_fmt(a, "!%.*s:%.*s", STR_ARG(hs_random_text(hs, a, ROOM_ID_LENGTH)),
                     STR_ARG(hs->identity.server));
}

/* The first event; in version 12 it is also what names the room. */
static enum err send_create(struct creation *c)
{
    struct hs *hs = c->hs;
    struct event *ev;
    struct verdict verdict;
    const char *why;
    struct event_signer signer = hs_signer(hs);
    struct event_parts parts = {.type = STR("m.room.create"),
                                .sender = c->req->user_id,
                                .state_key = STR(""),
                                .content = create_content(c),
                                .depth = 1,
                                .origin_server_ts = hs->now.unix_ms};
    if (!is_open(c)) {
        return ERR_NONE;
    }
    if (!c->version->room_id_is_create_hash) {
        parts.room_id = c->room_id.p != NULL ? c->room_id : create_room_id(hs, c->req->a);
    }
    if (c->version->id_form == VERSION_ID_SERVER) {
        parts.id = arena_fmt(c->req->a, "$%.*s:%.*s",
                             STR_ARG(hs_random_text(hs, c->req->a, ROOM_ID_LENGTH)),
                             STR_ARG(hs->identity.server));
    }
    enum err err = event_build(c->req->a, c->version, &parts, &signer, &ev, &why);
    if (err == ERR_SYNTAX || err == ERR_LIMIT) {
        return refuse(c, "M_BAD_JSON", why);
    }
    TRY(err);
    TRY(room_make(hs, ev->room_id, c->version, &c->room));
    TRY(door_admit(hs, c->room, ev, ARRIVAL_LOCAL, DOOR_STATE_FROM_PREV, &verdict));
    return verdict.kind == VERDICT_ACCEPT ? ERR_NONE : refuse(c, "M_INVALID_PARAM", verdict.why);
}

static enum err send_join(struct creation *c)
{
    struct json *content;
    TRY(membership_content(c->hs, c->req->a, c->req->user, "join", &content));
    return send(c, "m.room.member", c->req->user_id, content);
}

static void put_levels(struct json *levels)
{
    static const struct {
        const char *type;
        int64_t level;
    } events[] = {
        {"m.room.name", 50},
        {"m.room.power_levels", 100},
        {"m.room.history_visibility", 100},
        {"m.room.canonical_alias", 50},
        {"m.room.avatar", 50},
        {"m.room.tombstone", 100},
        {"m.room.server_acl", 100},
        {"m.room.encryption", 100},
    };
    json_put_int(levels, "users_default", 0);
    json_put_int(levels, "events_default", 0);
    json_put_int(levels, "state_default", 50);
    json_put_int(levels, "ban", 50);
    json_put_int(levels, "kick", 50);
    json_put_int(levels, "redact", 50);
    json_put_int(levels, "invite", 0);
    struct json *by_type = json_put_object(levels, STR("events"));
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        json_put_int(by_type, events[i].type, events[i].level);
    }
}

static enum err send_power(struct creation *c)
{
    struct arena *a = c->req->a;
    struct json *levels = json_object(a);
    put_levels(levels);
    struct json *users = json_put_object(levels, STR("users"));
    if (!c->version->privileged_creators) {
        json_put_int(users, arena_str(a, c->req->user_id).p, 100);
    }
    bool trusted = c->preset != NULL && c->preset->trusted;
    const struct json *invited = trusted ? json_get_array(c->body, "invite") : NULL;
    for (const struct json *i = json_first(invited); i != NULL; i = json_next(i)) {
        if (json_text(i).n > 0 && !c->version->privileged_creators) {
            json_put_int(users, json_text(i).p, 100);
        }
    }
    const struct json *given = json_get_object(c->body, "power_level_content_override");
    for (const struct json *m = json_first(given); m != NULL; m = json_next(m)) {
        json_put(levels, json_key(m), json_copy(a, m));
    }
    return send(c, "m.room.power_levels", STR(""), levels);
}

static enum err put_alias(struct creation *c)
{
    if (!is_open(c) || c->alias.p == NULL) {
        return ERR_NONE;
    }
    TRY(store_run(c->hs->store, STMT_ALIAS_PUT, "ttt", c->alias, c->room->id, c->req->user_id));
    return send_text(c, "m.room.canonical_alias", "alias", c->alias);
}

static bool is_in_initial_state(const struct creation *c, const char *type)
{
    const struct json *states = json_get_array(c->body, "initial_state");
    for (const struct json *s = json_first(states); s != NULL; s = json_next(s)) {
        if (str_eq(json_get_text(s, "type"), str_of(type)) &&
            str_is_empty(json_get_text(s, "state_key"))) {
            return true;
        }
    }
    return false;
}

static enum err send_preset(struct creation *c)
{
    if (c->preset == NULL) {
        return ERR_NONE;
    }
    if (!is_in_initial_state(c, "m.room.join_rules")) {
        TRY(send_text(c, "m.room.join_rules", "join_rule", str_of(c->preset->join_rule)));
    }
    if (!is_in_initial_state(c, "m.room.history_visibility")) {
        TRY(send_text(c, "m.room.history_visibility", "history_visibility",
                      str_of(c->preset->history)));
    }
    if (!is_in_initial_state(c, "m.room.guest_access")) {
        TRY(send_text(c, "m.room.guest_access", "guest_access", str_of(c->preset->guest)));
    }
    return ERR_NONE;
}

static enum err send_initial_state(struct creation *c)
{
    const struct json *states = json_get_array(c->body, "initial_state");
    for (const struct json *s = json_first(states); s != NULL && is_open(c); s = json_next(s)) {
        struct str type = json_get_text(s, "type");
        const struct json *content = json_get_object(s, "content");
        if (str_is_empty(type) || content == NULL) {
            return refuse(c, "M_BAD_JSON", "each of 'initial_state' wants a type and a content");
        }
        struct str key = json_get_text(s, "state_key");
        TRY(send(c, type.p, key.p == NULL ? STR("") : key, content));
    }
    return ERR_NONE;
}

/* With its m.topic form for clients that look there ("m.room.topic"). */
static enum err send_topic(struct creation *c, struct str topic)
{
    struct json *content = json_object(c->req->a);
    json_put_text(content, "topic", topic);
    struct json *block = json_put_object(content, STR("m.topic"));
    struct json *text = json_push_object(json_put_array(block, STR("m.text")));
    json_put_text(text, "body", topic);
    return send(c, "m.room.topic", STR(""), content);
}

static enum err send_texts(struct creation *c)
{
    struct str name = json_get_text(c->body, "name");
    struct str topic = json_get_text(c->body, "topic");
    if (name.n > 0) {
        TRY(send_text(c, "m.room.name", "name", name));
    }
    return topic.n > 0 ? send_topic(c, topic) : ERR_NONE;
}

static enum err send_invites(struct creation *c)
{
    const struct json *invited = json_get_array(c->body, "invite");
    bool is_direct = json_get_bool(c->body, "is_direct", false);
    if (json_count(invited) > INVITES_MAX) {
        return refuse(c, "M_INVALID_PARAM", "too many invites at once");
    }
    for (const struct json *i = json_first(invited); i != NULL && is_open(c); i = json_next(i)) {
        if (!mxid_is_user(json_text(i))) {
            return refuse(c, "M_INVALID_PARAM", "'invite' has what is no user id");
        }
        TRY(membership_invite(c->hs, c->req, c->room, json_text(i), is_direct, STR_ABSENT, false));
        c->is_refused = c->req->reply.status != 0;
    }
    return ERR_NONE;
}

static enum err send_all(struct creation *c)
{
    TRY(send_create(c));
    if (!is_open(c)) {
        return ERR_NONE;
    }
    TRY(send_join(c));
    TRY(send_power(c));
    TRY(put_alias(c));
    TRY(send_preset(c));
    TRY(send_initial_state(c));
    TRY(send_texts(c));
    return send_invites(c);
}

enum err create_like(struct hs *hs, struct req *req, const struct json *body, struct str room_id,
                     struct room **out)
{
    struct creation c = {.hs = hs, .req = req, .body = body, .room_id = room_id};
    c.version = room_version_find(json_get_text(body, "room_version"));
    TRY(send_all(&c));
    *out = is_open(&c) ? c.room : NULL;
    return ERR_NONE;
}

enum err create_room_post(struct hs *hs, struct req *req)
{
    struct creation c = {.hs = hs, .req = req, .body = req->body};
    if (json_count(json_get_array(req->body, "invite_3pid")) > 0) {
        return reply_error(req, 400, "M_SERVER_NOT_TRUSTED",
                           "this server asks no identity server; invite by user id");
    }
    TRY(choose(&c));
    if (is_open(&c)) {
        TRY(choose_alias(&c));
    }
    if (is_open(&c)) {
        TRY(send_all(&c));
    }
    if (!is_open(&c)) {
        return ERR_NONE;
    }
    if (str_eq(json_get_text(req->body, "visibility"), STR("public"))) {
        TRY(room_publish(hs, c.room, true));
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "room_id", c.room->id);
    json_put_text(out, "room_alias", c.alias);
    hs_log(hs, LOG_INFO, "room %.*s made by %.*s", STR_ARG(c.room->id), STR_ARG(req->user_id));
    return reply_json(req, out);
}
