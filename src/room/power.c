/* Reading power levels, with the leniency of the room version. */
#include "room/power.h"

/* Levels beyond these are cut to them, so that no written level reaches a creator's. */
static const int64_t LEVEL_MAX = INT64_MAX - 1;

static const struct {
    const char *name;
    int64_t fallback;
} actions[] = {
    [POWER_INVITE] = {"invite", 0},  [POWER_KICK] = {"kick", 50},        [POWER_BAN] = {"ban", 50},
    [POWER_REDACT] = {"redact", 50}, [POWER_NOTIFY_ROOM] = {"room", 50},
};

static const int64_t STATE_DEFAULT = 50;
static const int64_t CREATOR_DEFAULT = 100;

struct power power_of(const struct event *create, const struct event *power_levels)
{
    return (struct power){
        .version = create != NULL         ? create->version
                   : power_levels != NULL ? power_levels->version
                                          : NULL,
        .create = create,
        .levels = power_levels == NULL ? NULL : power_levels->content,
    };
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Digits to a number, cut at LEVEL_MAX; `shift` zeros follow them, or so many are dropped. */
static int64_t read_digits(struct str digits, int64_t shift, bool negative)
{
    int64_t value = 0;
    size_t keep = shift >= 0                     ? digits.n
                  : (uint64_t)-shift >= digits.n ? 0
                                                 : digits.n - (size_t)-shift;
    for (size_t i = 0; i < keep; i++) {
        int64_t digit = digits.p[i] - '0';
        value = value > (LEVEL_MAX - digit) / 10 ? LEVEL_MAX : value * 10 + digit;
    }
    for (int64_t i = 0; i < shift && value != 0 && value != LEVEL_MAX; i++) {
        value = value > LEVEL_MAX / 10 ? LEVEL_MAX : value * 10;
    }
    return negative ? -value : value;
}

/* Text as the first room versions took it: spaces around, a sign, digits, single underscores
 * between them. */
static bool parse_text(struct str text, int64_t *level)
{
    char digits[64];
    size_t n = 0;
    while (text.n > 0 && is_space(text.p[0])) {
        text = str_from(text, 1);
    }
    while (text.n > 0 && is_space(text.p[text.n - 1])) {
        text.n--;
    }
    bool negative = text.n > 0 && text.p[0] == '-';
    if (negative || (text.n > 0 && text.p[0] == '+')) {
        text = str_from(text, 1);
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool between = i > 0 && text.p[i - 1] != '_' && i + 1 < text.n;
        if ((c < '0' || c > '9') && !(c == '_' && between)) {
            return false;
        }
        if (c != '_' && (n > 0 || c != '0') && n < sizeof(digits)) {
            digits[n] = c;
            n++;
        }
    }
    *level = read_digits(str_make(digits, n), 0, negative);
    return text.n > 0;
}

/* The literal of a fraction or of a very large integer, cut towards zero. The number was checked
 * when the JSON was. */
static int64_t parse_literal(struct str literal)
{
    char digits[64];
    size_t n = 0;
    int64_t shift = 0;
    bool fraction = false;
    bool negative = literal.p[0] == '-';
    for (size_t i = negative ? 1 : 0; i < literal.n; i++) {
        char c = literal.p[i];
        if (c == 'e' || c == 'E') {
            int64_t exponent = 0;
            size_t sign = i + 1 < literal.n && literal.p[i + 1] == '+' ? 1 : 0;
            if (!str_to_i64(str_from(literal, i + 1 + sign), &exponent) || exponent > 400 ||
                exponent < -400) {
                exponent = literal.p[i + 1] == '-' ? -400 : 400;
            }
            shift += exponent;
            break;
        }
        if (c == '.') {
            fraction = true;
        } else if (n < sizeof(digits)) {
            digits[n] = c;
            n++;
            shift -= fraction;
        } else {
            shift += !fraction;
        }
    }
    return read_digits(str_make(digits, n), shift, negative);
}

bool power_parse(const struct room_version *version, const struct json *node, int64_t *level)
{
    if (json_int(node, level)) {
        return true;
    }
    if (version == NULL || version->integer_power || node == NULL) {
        return false;
    }
    switch (json_kind(node)) {
    case JSON_NUMBER:
        *level = parse_literal(json_literal(node));
        return true;
    case JSON_TEXT:
        return parse_text(json_text(node), level);
    case JSON_BOOL:
        *level = json_bool(node, false) ? 1 : 0;
        return true;
    case JSON_NULL:
    case JSON_INT:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return false;
}

static int64_t level_or(const struct power *p, const struct json *node, int64_t fallback)
{
    int64_t level;
    return power_parse(p->version, node, &level) ? level : fallback;
}

bool power_is_creator(const struct power *p, struct str user)
{
    if (p->create == NULL || p->version == NULL) {
        return false;
    }
    if (!p->version->implicit_creator) {
        return str_eq(json_get_text(p->create->content, "creator"), user);
    }
    if (str_eq(p->create->sender, user)) {
        return true;
    }
    const struct json *more = p->version->privileged_creators
                                  ? json_get_array(p->create->content, "additional_creators")
                                  : NULL;
    for (const struct json *x = json_first(more); x != NULL; x = json_next(x)) {
        if (str_eq(json_text(x), user)) {
            return true;
        }
    }
    return false;
}

int64_t power_of_user(const struct power *p, struct str user)
{
    if (p->version != NULL && p->version->privileged_creators && power_is_creator(p, user)) {
        return POWER_CREATOR;
    }
    if (p->levels == NULL) {
        return power_is_creator(p, user) ? CREATOR_DEFAULT : 0;
    }
    const struct json *own = json_get(json_get(p->levels, STR("users")), user);
    return level_or(p, own, level_or(p, json_get(p->levels, STR("users_default")), 0));
}

int64_t power_to_send(const struct power *p, struct str type, bool is_state)
{
    const struct json *own = json_get(json_get(p->levels, STR("events")), type);
    const struct json *other =
        json_get(p->levels, is_state ? STR("state_default") : STR("events_default"));
    return level_or(p, own, level_or(p, other, is_state ? STATE_DEFAULT : 0));
}

int64_t power_for(const struct power *p, enum power_action action)
{
    assert((size_t)action < COUNT_OF(actions));
    const struct json *from =
        action == POWER_NOTIFY_ROOM ? json_get(p->levels, STR("notifications")) : p->levels;
    return level_or(p, json_get(from, str_of(actions[action].name)), actions[action].fallback);
}
