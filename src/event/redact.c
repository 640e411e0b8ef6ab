/* What redaction keeps, as tables. */
#include "event/redact.h"

#include "event/seal.h"

/* When a key is kept: a property of the room version. */
enum since {
    ALWAYS,
    WITH_ALIASES,    /* 1 to 5 */
    WITH_RESTRICTED, /* 8 on */
    FROM_9,
    BEFORE_11,
    FROM_11,
};

struct kept {
    struct str type; /* absent: a key of the event itself, else of its content */
    struct str key;
    enum since since;
};

/* clang-format off */
static const struct kept of_event[] = {
    {{NULL, 0}, STR_INIT("event_id"),         ALWAYS},
    {{NULL, 0}, STR_INIT("type"),             ALWAYS},
    {{NULL, 0}, STR_INIT("room_id"),          ALWAYS},
    {{NULL, 0}, STR_INIT("sender"),           ALWAYS},
    {{NULL, 0}, STR_INIT("state_key"),        ALWAYS},
    {{NULL, 0}, STR_INIT("hashes"),           ALWAYS},
    {{NULL, 0}, STR_INIT("signatures"),       ALWAYS},
    {{NULL, 0}, STR_INIT("depth"),            ALWAYS},
    {{NULL, 0}, STR_INIT("prev_events"),      ALWAYS},
    {{NULL, 0}, STR_INIT("auth_events"),      ALWAYS},
    {{NULL, 0}, STR_INIT("origin_server_ts"), ALWAYS},
    {{NULL, 0}, STR_INIT("prev_state"),       BEFORE_11},
    {{NULL, 0}, STR_INIT("origin"),           BEFORE_11},
    {{NULL, 0}, STR_INIT("membership"),       BEFORE_11},
};

static const struct kept of_content[] = {
    {STR_INIT("m.room.member"),             STR_INIT("membership"),                       ALWAYS},
    {STR_INIT("m.room.member"),             STR_INIT("join_authorised_via_users_server"), FROM_9},
    {STR_INIT("m.room.create"),             STR_INIT("creator"),                          BEFORE_11},
    {STR_INIT("m.room.join_rules"),         STR_INIT("join_rule"),                        ALWAYS},
    {STR_INIT("m.room.join_rules"),         STR_INIT("allow"),                            WITH_RESTRICTED},
    {STR_INIT("m.room.power_levels"),       STR_INIT("ban"),                              ALWAYS},
    {STR_INIT("m.room.power_levels"),       STR_INIT("events"),                           ALWAYS},
    {STR_INIT("m.room.power_levels"),       STR_INIT("events_default"),                   ALWAYS},
    {STR_INIT("m.room.power_levels"),       STR_INIT("invite"),                           FROM_11},
    {STR_INIT("m.room.power_levels"),       STR_INIT("kick"),                             ALWAYS},
    {STR_INIT("m.room.power_levels"),       STR_INIT("redact"),                           ALWAYS},
    {STR_INIT("m.room.power_levels"),       STR_INIT("state_default"),                    ALWAYS},
    {STR_INIT("m.room.power_levels"),       STR_INIT("users"),                            ALWAYS},
    {STR_INIT("m.room.power_levels"),       STR_INIT("users_default"),                    ALWAYS},
    {STR_INIT("m.room.aliases"),            STR_INIT("aliases"),                          WITH_ALIASES},
    {STR_INIT("m.room.history_visibility"), STR_INIT("history_visibility"),               ALWAYS},
    {STR_INIT("m.room.redaction"),          STR_INIT("redacts"),                          FROM_11},
};
/* clang-format on */

static bool is_kept(const struct room_version *version, enum since since)
{
    switch (since) {
    case ALWAYS:
        return true;
    case WITH_ALIASES:
        return version->aliases_rule;
    case WITH_RESTRICTED:
        return version->restricted;
    case FROM_9:
        return version->restricted_redaction;
    case BEFORE_11:
        return !version->redaction_11;
    case FROM_11:
        return version->redaction_11;
    }
    return false;
}

static void keep(struct arena *a, struct json *to, const struct json *from, struct str key)
{
    const struct json *value = json_get(from, key);
    if (value != NULL) {
        json_put(to, key, json_copy(a, value));
    }
}

/* From version 11 on the proof of a third-party invite survives, and nothing else of it. */
static void keep_third_party_signature(struct arena *a, struct json *to, const struct json *content)
{
    const struct json *invite = json_get_object(content, "third_party_invite");
    if (invite != NULL) {
        keep(a, json_put_object(to, STR("third_party_invite")), invite, STR("signed"));
    }
}

static struct json *redact_content(struct arena *a, const struct room_version *version,
                                   struct str type, const struct json *content)
{
    if (version->redaction_11 && str_eq(type, STR("m.room.create")) &&
        json_is(content, JSON_OBJECT)) {
        return json_copy(a, content);
    }
    struct json *left = json_object(a);
    for (size_t i = 0; i < COUNT_OF(of_content); i++) {
        if (str_eq(of_content[i].type, type) && is_kept(version, of_content[i].since)) {
            keep(a, left, content, of_content[i].key);
        }
    }
    if (version->redaction_11 && str_eq(type, STR("m.room.member"))) {
        keep_third_party_signature(a, left, content);
    }
    return left;
}

struct json *redact_json(struct arena *a, const struct room_version *version,
                         const struct json *pdu)
{
    struct json *left = json_object(a);
    struct str type = json_get_text(pdu, "type");
    for (size_t i = 0; i < COUNT_OF(of_event); i++) {
        if (is_kept(version, of_event[i].since)) {
            keep(a, left, pdu, of_event[i].key);
        }
    }
    if (version->room_id_is_create_hash && str_eq(type, STR("m.room.create"))) {
        json_remove(left, STR("room_id"));
    }
    const struct json *content = json_get(pdu, STR("content"));
    if (content != NULL) {
        json_put(left, STR("content"), redact_content(a, version, type, content));
    }
    return left;
}

enum err redact_event(struct arena *a, const struct event *ev, struct event **out)
{
    struct json *left = redact_json(a, ev->version, ev->tree);
    return event_from_tree(a, ev->version, ev->id, left, out);
}
