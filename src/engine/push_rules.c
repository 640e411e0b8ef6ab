/* The default rules as a table, and the judge. */
#include "engine/push_rules.h"

#include "base/glob.h"
#include "engine/account_data.h"
#include "event/mxid.h"

enum action {
    QUIET,
    NOTIFY,
    NOTIFY_SOUND,
    NOTIFY_RING,
    NOTIFY_HIGHLIGHT,
    NOTIFY_SOUND_HIGHLIGHT,
};

/* A condition as text: kind, key, value; "{}" stands for the user id. */
struct condition {
    const char *kind, *key, *value;
};

struct default_rule {
    const char *scope, *id;
    enum action action;
    struct condition conditions[3];
};

/* clang-format off */
static const struct default_rule defaults[] = {
    {"override", ".m.rule.master", QUIET, {{0}}},
    {"override", ".m.rule.suppress_notices", QUIET,
     {{"event_match", "content.msgtype", "m.notice"}}},
    {"override", ".m.rule.invite_for_me", NOTIFY_SOUND,
     {{"event_match", "type", "m.room.member"}, {"event_match", "content.membership", "invite"},
      {"event_match", "state_key", "{}"}}},
    {"override", ".m.rule.member_event", QUIET, {{"event_match", "type", "m.room.member"}}},
    {"override", ".m.rule.is_user_mention", NOTIFY_SOUND_HIGHLIGHT,
     {{"event_property_contains", "content.m\\.mentions.user_ids", "{}"}}},
    {"override", ".m.rule.contains_display_name", NOTIFY_SOUND_HIGHLIGHT,
     {{"contains_display_name", NULL, NULL}}},
    {"override", ".m.rule.is_room_mention", NOTIFY_HIGHLIGHT,
     {{"event_property_is", "content.m\\.mentions.room", "true"},
      {"sender_notification_permission", "room", NULL}}},
    {"override", ".m.rule.roomnotif", NOTIFY_HIGHLIGHT,
     {{"event_match", "content.body", "@room"}, {"sender_notification_permission", "room", NULL}}},
    {"override", ".m.rule.tombstone", NOTIFY_HIGHLIGHT,
     {{"event_match", "type", "m.room.tombstone"}, {"event_match", "state_key", ""}}},
    {"override", ".m.rule.reaction", QUIET, {{"event_match", "type", "m.reaction"}}},
    {"override", ".m.rule.room.server_acl", QUIET,
     {{"event_match", "type", "m.room.server_acl"}, {"event_match", "state_key", ""}}},
    {"override", ".m.rule.suppress_edits", QUIET,
     {{"event_property_is", "content.m\\.relates_to.rel_type", "m.replace"}}},
    {"content", ".m.rule.contains_user_name", NOTIFY_SOUND_HIGHLIGHT, {{0}}},
    {"underride", ".m.rule.call", NOTIFY_RING, {{"event_match", "type", "m.call.invite"}}},
    {"underride", ".m.rule.encrypted_room_one_to_one", NOTIFY_SOUND,
     {{"room_member_count", NULL, "2"}, {"event_match", "type", "m.room.encrypted"}}},
    {"underride", ".m.rule.room_one_to_one", NOTIFY_SOUND,
     {{"room_member_count", NULL, "2"}, {"event_match", "type", "m.room.message"}}},
    {"underride", ".m.rule.message", NOTIFY, {{"event_match", "type", "m.room.message"}}},
    {"underride", ".m.rule.encrypted", NOTIFY, {{"event_match", "type", "m.room.encrypted"}}},
};
/* clang-format on */

/* In order of precedence. */
static const char *const scopes[] = {"override", "content", "room", "sender", "underride"};

static void put_actions(struct json *rule, enum action action)
{
    struct json *actions = json_put_array(rule, STR("actions"));
    if (action == QUIET) {
        return;
    }
    json_push_text(actions, STR("notify"));
    if (action != NOTIFY && action != NOTIFY_HIGHLIGHT) {
        struct json *sound = json_push_object(actions);
        json_put_text(sound, "set_tweak", STR("sound"));
        json_put_text(sound, "value", action == NOTIFY_RING ? STR("ring") : STR("default"));
    }
    if (action == NOTIFY_HIGHLIGHT || action == NOTIFY_SOUND_HIGHLIGHT) {
        json_put_text(json_push_object(actions), "set_tweak", STR("highlight"));
    }
}

static void put_condition(struct json *conditions, const struct condition *c, struct str user_id)
{
    struct json *out = json_push_object(conditions);
    struct str kind = str_of(c->kind);
    struct str value = str_of(c->value);
    value = str_eq(value, STR("{}")) ? user_id : value;
    json_put_text(out, "kind", kind);
    json_put_text(out, "key", str_of(c->key));
    if (str_eq(kind, STR("event_match"))) {
        json_put_text(out, "pattern", value);
    } else if (str_eq(kind, STR("room_member_count"))) {
        json_put_text(out, "is", value);
    } else if (str_eq(value, STR("true"))) {
        json_put_bool(out, "value", true);
    } else {
        json_put_text(out, "value", value);
    }
}

static void put_default(struct json *global, const struct default_rule *row, struct str user_id)
{
    struct json *rule = json_push_object(json_get(global, str_of(row->scope)));
    struct str id = str_of(row->id);
    json_put_text(rule, "rule_id", id);
    json_put_bool(rule, "default", true);
    json_put_bool(rule, "enabled", !str_eq(id, STR(".m.rule.master")));
    put_actions(rule, row->action);
    if (str_eq(str_of(row->scope), STR("content"))) {
        json_put_text(rule, "pattern", mxid_local(user_id));
        return;
    }
    struct json *conditions = json_put_array(rule, STR("conditions"));
    for (size_t i = 0; i < COUNT_OF(row->conditions) && row->conditions[i].kind != NULL; i++) {
        put_condition(conditions, &row->conditions[i], user_id);
    }
}

struct json *push_rules_default(struct arena *a, struct str user_id)
{
    struct json *rules = json_object(a);
    struct json *global = json_put_object(rules, STR("global"));
    for (size_t i = 0; i < COUNT_OF(scopes); i++) {
        json_put_array(global, str_of(scopes[i]));
    }
    for (size_t i = 0; i < COUNT_OF(defaults); i++) {
        put_default(global, &defaults[i], user_id);
    }
    return rules;
}

enum err push_rules_get(struct hs *hs, struct arena *a, int64_t user, struct str user_id,
                        struct json **out)
{
    TRY(account_data_get(hs, a, user, 0, STR("m.push_rules"), out));
    if (*out == NULL) {
        *out = push_rules_default(a, user_id);
    }
    return ERR_NONE;
}

enum err push_rules_put(struct hs *hs, int64_t user, const struct json *rules)
{
    return account_data_put(hs, user, 0, STR("m.push_rules"), rules);
}

/* --- the judge ---------------------------------------------------------------------------- */

static bool has_words(struct str text, struct str pattern)
{
    return glob_finds(pattern, str_sub(text, 0, PUSH_TEXT_MAX));
}

/* One name of a dotted path against a key of an object: "\." is a dot of the name. */
static bool name_fits(struct str name, struct str key)
{
    size_t k = 0;
    for (size_t i = 0; i < name.n; i++, k++) {
        i += name.p[i] == '\\' && i + 1 < name.n ? 1 : 0;
        if (k >= key.n || key.p[k] != name.p[i]) {
            return false;
        }
    }
    return k == key.n;
}

static struct str name_first(struct str path)
{
    size_t i = 0;
    while (i < path.n && path.p[i] != '.') {
        i += path.p[i] == '\\' ? 2 : 1;
    }
    return str_sub(path, 0, i);
}

static const struct json *property(const struct event *ev, struct str path)
{
    const struct json *node = ev->tree;
    while (path.n > 0 && node != NULL) {
        struct str name = name_first(path);
        const struct json *found = NULL;
        for (const struct json *x = json_is(node, JSON_OBJECT) ? json_first(node) : NULL;
             x != NULL && found == NULL; x = json_next(x)) {
            found = name_fits(name, json_key(x)) ? x : NULL;
        }
        node = found;
        path = str_from(path, name.n + 1);
    }
    return node;
}

static bool count_fits(struct str is, int64_t count)
{
    int64_t wanted;
    size_t n = 0;
    while (n < is.n && n < 2 && (is.p[n] < '0' || is.p[n] > '9')) {
        n++;
    }
    struct str sign = str_sub(is, 0, n);
    if (!str_to_i64(str_from(is, n), &wanted)) {
        return false;
    }
    if (str_eq(sign, STR("<"))) {
        return count < wanted;
    }
    if (str_eq(sign, STR("<="))) {
        return count <= wanted;
    }
    if (str_eq(sign, STR(">"))) {
        return count > wanted;
    }
    return str_eq(sign, STR(">=")) ? count >= wanted : count == wanted;
}

static bool contains(const struct json *list, const struct json *value)
{
    for (const struct json *x = json_is(list, JSON_ARRAY) ? json_first(list) : NULL; x != NULL;
         x = json_next(x)) {
        if (json_eq(x, value)) {
            return true;
        }
    }
    return false;
}

static bool may_notify(const struct event *ev, const struct push_context *c, struct str key)
{
    return c->power != NULL && str_eq(key, STR("room")) &&
           power_of_user(c->power, ev->sender) >= power_for(c->power, POWER_NOTIFY_ROOM);
}

/* Unknown kinds of conditions never hold ("Conditions": a rule with one of them is ignored). */
static bool holds(const struct json *condition, const struct event *ev,
                  const struct push_context *c)
{
    struct str kind = json_get_text(condition, "kind");
    struct str key = json_get_text(condition, "key");
    const struct json *value = json_get(condition, STR("value"));
    if (str_eq(kind, STR("event_match"))) {
        struct str text = json_text(property(ev, key));
        struct str pattern = json_get_text(condition, "pattern");
        return text.p != NULL && pattern.p != NULL &&
               (str_eq(key, STR("content.body")) ? has_words(text, pattern)
                                                 : glob_fits(pattern, text));
    }
    if (str_eq(kind, STR("event_property_is"))) {
        const struct json *node = property(ev, key);
        return node != NULL && value != NULL && json_eq(node, value);
    }
    if (str_eq(kind, STR("event_property_contains"))) {
        return value != NULL && contains(property(ev, key), value);
    }
    if (str_eq(kind, STR("contains_display_name"))) {
        struct str body = json_get_text(ev->content, "body");
        return body.p != NULL && has_words(body, c->display_name);
    }
    if (str_eq(kind, STR("room_member_count"))) {
        return count_fits(json_get_text(condition, "is"), c->member_count);
    }
    return str_eq(kind, STR("sender_notification_permission")) && may_notify(ev, c, key);
}

static bool rule_fits(const struct json *rule, struct str scope, const struct event *ev,
                      const struct push_context *c)
{
    struct str id = json_get_text(rule, "rule_id");
    if (!json_get_bool(rule, "enabled", true)) {
        return false;
    }
    if (str_eq(scope, STR("room"))) {
        return str_eq(id, ev->room_id);
    }
    if (str_eq(scope, STR("sender"))) {
        return str_eq(id, ev->sender);
    }
    if (str_eq(scope, STR("content"))) {
        struct str body = json_get_text(ev->content, "body");
        return body.p != NULL && has_words(body, json_get_text(rule, "pattern"));
    }
    const struct json *x = json_first(json_get_array(rule, "conditions"));
    while (x != NULL && holds(x, ev, c)) {
        x = json_next(x);
    }
    return x == NULL;
}

static struct push_verdict verdict_of(const struct json *rule)
{
    struct push_verdict out = {.actions = json_get_array(rule, "actions")};
    for (const struct json *x = json_first(out.actions); x != NULL; x = json_next(x)) {
        struct str word = json_text(x);
        out.notify = out.notify || str_eq(word, STR("notify")) || str_eq(word, STR("coalesce"));
        if (str_eq(json_get_text(x, "set_tweak"), STR("highlight"))) {
            out.highlight = json_get_bool(x, "value", true);
        }
    }
    out.highlight = out.highlight && out.notify;
    return out;
}

struct push_verdict push_rules_judge(const struct json *rules, const struct event *ev,
                                     const struct push_context *context)
{
    const struct json *global = json_get_object(rules, "global");
    for (size_t i = 0; i < COUNT_OF(scopes); i++) {
        struct str scope = str_of(scopes[i]);
        for (const struct json *rule = json_first(json_get_array(global, scopes[i])); rule != NULL;
             rule = json_next(rule)) {
            if (rule_fits(rule, scope, ev, context)) {
                return verdict_of(rule);
            }
        }
    }
    return (struct push_verdict){0};
}
