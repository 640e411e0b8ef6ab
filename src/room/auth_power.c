/* Rule "m.room.power_levels": nobody gives or takes what he has not. */
#include "event/mxid.h"
#include "room/rules.h"

static const char *const levels[] = {"users_default", "events_default", "state_default", "ban",
                                     "redact",        "kick",           "invite"};

static const char NOT_A_LEVEL[] = "rule m.room.power_levels: a level is not an integer";
static const char NOT_A_USER[] = "rule m.room.power_levels: users has a key that is no user id";
static const char TOO_HIGH[] =
    "rule m.room.power_levels: a level above the sender's is set, changed or removed";

/* A key of `users` needs no more than a sigil and a server to count as a user id. */
static bool is_user(struct str key)
{
    return str_starts(key, STR("@")) && !str_is_absent(mxid_server(key));
}

static bool are_integers(const struct json *object)
{
    for (const struct json *x = json_first(object); x != NULL; x = json_next(x)) {
        if (!json_is(x, JSON_INT)) {
            return false;
        }
    }
    return json_is(object, JSON_OBJECT);
}

/* From version 10 on everything is an integer, whether it changes or not. */
static bool is_all_integers(const struct json *content)
{
    static const char *const objects[] = {"users", "events", "notifications"};
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        const struct json *x = json_get(content, str_of(levels[i]));
        if (x != NULL && !json_is(x, JSON_INT)) {
            return false;
        }
    }
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        const struct json *x = json_get(content, str_of(objects[i]));
        if (x != NULL && !are_integers(x)) {
            return false;
        }
    }
    return true;
}

static struct verdict check_users(const struct rules *r)
{
    int64_t level;
    const struct json *users = json_get(r->ev->content, STR("users"));
    if (users != NULL && !json_is(users, JSON_OBJECT)) {
        return verdict_reject(NOT_A_USER);
    }
    for (const struct json *x = json_first(users); x != NULL; x = json_next(x)) {
        if (!is_user(json_key(x))) {
            return verdict_reject(NOT_A_USER);
        }
        if (!power_parse(r->ev->version, x, &level)) {
            return verdict_reject(NOT_A_LEVEL);
        }
        if (r->ev->version->privileged_creators && power_is_creator(&r->power, json_key(x))) {
            return verdict_reject("rule m.room.power_levels: a creator among users");
        }
    }
    return verdict_accept();
}

/* One level before and after; NULL: not there. strict: another user's entry, which may not be
 * touched even at the sender's own level. */
static const char *check_change(const struct rules *r, int64_t power, const struct json *before,
                                const struct json *after, bool strict)
{
    int64_t old_level = 0;
    int64_t new_level = 0;
    if ((before != NULL && !power_parse(r->ev->version, before, &old_level)) ||
        (after != NULL && !power_parse(r->ev->version, after, &new_level))) {
        return NOT_A_LEVEL;
    }
    if (before != NULL && after != NULL && old_level == new_level) {
        return NULL;
    }
    bool takes = before != NULL && (old_level > power || (strict && old_level == power));
    bool gives = after != NULL && new_level > power;
    return takes || gives ? TOO_HIGH : NULL;
}

static const char *check_changes(const struct rules *r, int64_t power, const char *name)
{
    const struct json *before = json_get(r->power.levels, str_of(name));
    const struct json *after = json_get(r->ev->content, str_of(name));
    bool users = str_eq(str_of(name), STR("users"));
    const char *why = after == NULL || json_is(after, JSON_OBJECT) ? NULL : NOT_A_LEVEL;
    before = json_is(before, JSON_OBJECT) ? before : NULL;
    for (const struct json *x = json_first(before); x != NULL && why == NULL; x = json_next(x)) {
        bool strict = users && !str_eq(json_key(x), r->ev->sender);
        why = check_change(r, power, x, json_get(after, json_key(x)), strict);
    }
    for (const struct json *x = json_first(after); x != NULL && why == NULL; x = json_next(x)) {
        if (json_get(before, json_key(x)) == NULL) {
            why = check_change(r, power, NULL, x, false);
        }
    }
    return why;
}

struct verdict rules_check_power_levels(const struct rules *r)
{
    const struct event *ev = r->ev;
    struct verdict v = check_users(r);
    if (v.kind != VERDICT_ACCEPT) {
        return v;
    }
    if (ev->version->integer_power && !is_all_integers(ev->content)) {
        return verdict_reject(NOT_A_LEVEL);
    }
    if (r->power.levels == NULL || !event_is(ev, ev->type, STR(""))) {
        return verdict_accept(); /* none before, or not the event that gives the levels */
    }
    int64_t power = power_of_user(&r->power, ev->sender);
    const char *why = NULL;
    for (size_t i = 0; i < COUNT_OF(levels) && why == NULL; i++) {
        struct str name = str_of(levels[i]);
        why = check_change(r, power, json_get(r->power.levels, name), json_get(ev->content, name),
                           false);
    }
    why = why != NULL ? why : check_changes(r, power, "users");
    why = why != NULL ? why : check_changes(r, power, "events");
    if (why == NULL && ev->version->notifications_rule) {
        why = check_changes(r, power, "notifications");
    }
    return why == NULL ? verdict_accept() : verdict_reject(why);
}
