/* What a filter says and whom it lets through. */
#include "engine/event_filter.h"

/* A list of texts, or NULL when it is not given. */
static bool texts(const struct json *node, const char *key, const struct json **out)
{
    const struct json *list = json_get(node, str_of(key));
    *out = NULL;
    if (list == NULL || json_is(list, JSON_NULL)) {
        return true;
    }
    if (!json_is(list, JSON_ARRAY)) {
        return false;
    }
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        if (!json_is(x, JSON_TEXT)) {
            return false;
        }
    }
    *out = list;
    return true;
}

static bool flag(const struct json *node, const char *key, const struct json **out)
{
    *out = json_get(node, str_of(key));
    if (json_is(*out, JSON_NULL)) {
        *out = NULL;
    }
    return *out == NULL || json_is(*out, JSON_BOOL);
}

enum err event_filter_parse(const struct json *node, struct event_filter *out, const char **why)
{
    const struct json *lazy = NULL;
    const struct json *redundant = NULL;
    const struct json *threads = NULL;
    const struct json *limit = json_get(node, STR("limit"));
    *out = (struct event_filter){0};
    *why = NULL;
    if (node != NULL && !json_is(node, JSON_OBJECT)) {
        *why = "a filter must be an object";
    } else if (limit != NULL && !json_is(limit, JSON_NULL) &&
               (!json_int(limit, &out->limit) || out->limit < 0)) {
        *why = "limit must be an integer that is not negative";
    } else if (!texts(node, "types", &out->types) || !texts(node, "not_types", &out->not_types)) {
        *why = "types and not_types must be arrays of strings";
    } else if (!texts(node, "senders", &out->senders) ||
               !texts(node, "not_senders", &out->not_senders)) {
        *why = "senders and not_senders must be arrays of strings";
    } else if (!texts(node, "rooms", &out->rooms) || !texts(node, "not_rooms", &out->not_rooms)) {
        *why = "rooms and not_rooms must be arrays of strings";
    } else if (!flag(node, "contains_url", &out->contains_url) ||
               !flag(node, "lazy_load_members", &lazy) ||
               !flag(node, "include_redundant_members", &redundant) ||
               !flag(node, "unread_thread_notifications", &threads)) {
        *why = "contains_url, lazy_load_members, include_redundant_members and "
               "unread_thread_notifications must be booleans";
    }
    out->has_limit = json_is(limit, JSON_INT);
    out->lazy_load_members = json_bool(lazy, false);
    out->include_redundant_members = json_bool(redundant, false);
    out->unread_thread_notifications = json_bool(threads, false);
    return *why == NULL ? ERR_NONE : ERR_SYNTAX;
}

static enum err room_filter_parse(const struct json *room, struct sync_filter *out,
                                  const char **why)
{
    const struct json *leave = NULL;
    if (!texts(room, "rooms", &out->rooms) || !texts(room, "not_rooms", &out->not_rooms)) {
        *why = "rooms and not_rooms must be arrays of strings";
        return ERR_SYNTAX;
    }
    if (!flag(room, "include_leave", &leave)) {
        *why = "include_leave must be a boolean";
        return ERR_SYNTAX;
    }
    out->include_leave = json_bool(leave, false);
    TRY(event_filter_parse(json_get(room, STR("ephemeral")), &out->ephemeral, why));
    TRY(event_filter_parse(json_get(room, STR("state")), &out->state, why));
    TRY(event_filter_parse(json_get(room, STR("timeline")), &out->timeline, why));
    return event_filter_parse(json_get(room, STR("account_data")), &out->room_account_data, why);
}

enum err sync_filter_parse(const struct json *node, struct sync_filter *out, const char **why)
{
    const struct json *room = json_get(node, STR("room"));
    const struct json *format = json_get(node, STR("event_format"));
    *out = (struct sync_filter){0};
    *why = NULL;
    if (node != NULL && !json_is(node, JSON_OBJECT)) {
        *why = "a filter must be an object";
    } else if (room != NULL && !json_is(room, JSON_OBJECT)) {
        *why = "room must be an object";
    } else if (!texts(node, "event_fields", &out->event_fields)) {
        *why = "event_fields must be an array of strings";
    } else if (format != NULL && !str_eq(json_text(format), STR("client")) &&
               !str_eq(json_text(format), STR("federation"))) {
        *why = "event_format must be client or federation";
    }
    if (*why != NULL) {
        return ERR_SYNTAX;
    }
    out->is_federation_format = str_eq(json_text(format), STR("federation"));
    TRY(event_filter_parse(json_get(node, STR("presence")), &out->presence, why));
    TRY(event_filter_parse(json_get(node, STR("account_data")), &out->account_data, why));
    return room_filter_parse(room, out, why);
}

static bool has(const struct json *list, struct str text)
{
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        if (str_eq(json_text(x), text)) {
            return true;
        }
    }
    return false;
}

/* '*' takes any sequence of characters; the last star seen is where matching starts over. */
static bool glob(struct str pattern, struct str text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t mark = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p;
            mark = t;
            p++;
        } else if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            mark++;
            t = mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}

static bool has_glob(const struct json *list, struct str text)
{
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        if (glob(json_text(x), text)) {
            return true;
        }
    }
    return false;
}

bool event_filter_allows_room(const struct event_filter *f, struct str room_id)
{
    return !has(f->not_rooms, room_id) && (f->rooms == NULL || has(f->rooms, room_id));
}

bool sync_filter_allows_room(const struct sync_filter *f, struct str room_id)
{
    return !has(f->not_rooms, room_id) && (f->rooms == NULL || has(f->rooms, room_id));
}

bool event_filter_allows(const struct event_filter *f, struct str type, struct str sender,
                         const struct json *content)
{
    if (has_glob(f->not_types, type) || has(f->not_senders, sender)) {
        return false;
    }
    if (f->types != NULL && !has_glob(f->types, type)) {
        return false;
    }
    if (f->senders != NULL && !has(f->senders, sender)) {
        return false;
    }
    if (f->contains_url != NULL) {
        bool has_url = json_is(json_get(content, STR("url")), JSON_TEXT);
        return has_url == json_bool(f->contains_url, false);
    }
    return true;
}

bool event_filter_allows_event(const struct event_filter *f, const struct event *ev)
{
    return event_filter_allows(f, ev->type, ev->sender, ev->content);
}

/* Takes the next name off a dotted path, "\." and "\\" undone. */
static struct str path_next(struct arena *a, struct str *path)
{
    char *name = arena_alloc(a, path->n + 1);
    size_t n = 0;
    size_t i = 0;
    for (; i < path->n && path->p[i] != '.'; i++) {
        bool escapes = path->p[i] == '\\' && i + 1 < path->n &&
                       (path->p[i + 1] == '.' || path->p[i + 1] == '\\');
        i += escapes ? 1 : 0;
        name[n] = path->p[i];
        n++;
    }
    *path = i < path->n ? str_from(*path, i + 1) : STR_ABSENT;
    return str_make(name, n);
}

static void pick(struct arena *a, struct str path, const struct json *from, struct json *to)
{
    while (true) {
        struct str name = path_next(a, &path);
        const struct json *value = json_get(from, name);
        if (value == NULL) {
            return;
        }
        if (path.p == NULL) {
            json_put(to, name, json_copy(a, value));
            return;
        }
        if (!json_is(value, JSON_OBJECT)) {
            return;
        }
        struct json *inner = json_get(to, name);
        to = json_is(inner, JSON_OBJECT) ? inner : json_put_object(to, name);
        from = value;
    }
}

struct json *event_fields_pick(struct arena *a, const struct json *fields, const struct json *event)
{
    struct json *out = json_object(a);
    for (const struct json *x = json_first(fields); x != NULL; x = json_next(x)) {
        pick(a, json_text(x), event, out);
    }
    return out;
}
