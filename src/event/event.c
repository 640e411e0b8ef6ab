/* Reading events: every field is looked at once, here, so that nobody has to ask again. */
#include "event/event.h"

#include "base/limits.h"
#include "event/mxid.h"
#include "event/seal.h"
#include "json/canon.h"

enum { FIELD_MAX = 255 };

/* One event on its way from a tree. */
struct reading {
    struct arena *a;
    struct event *ev;
    const char *why;
};

static enum err refuse(struct reading *r, enum err err, const char *why)
{
    r->why = why;
    return err;
}

static enum err read_texts(struct reading *r)
{
    struct event *ev = r->ev;
    const struct json *state_key = json_get(ev->tree, STR("state_key"));
    ev->type = json_get_text(ev->tree, "type");
    ev->sender = json_get_text(ev->tree, "sender");
    ev->state_key = json_text(state_key);
    if (str_is_absent(ev->type)) {
        return refuse(r, ERR_SYNTAX, "type is not a string");
    }
    if (ev->type.n > FIELD_MAX) {
        return refuse(r, ERR_LIMIT, "type is too long");
    }
    if (ev->sender.n > MXID_MAX || ev->state_key.n > FIELD_MAX) {
        return refuse(r, ERR_LIMIT, "sender or state_key is too long");
    }
    if (!mxid_is_user(ev->sender)) {
        return refuse(r, ERR_SYNTAX, "sender is not a user id");
    }
    if (state_key != NULL && str_is_absent(ev->state_key)) {
        return refuse(r, ERR_SYNTAX, "state_key is not a string");
    }
    return ERR_NONE;
}

/* Depths of old room versions go beyond what canonical JSON allows: the largest stands for all. */
static bool read_integer(const struct event *ev, const char *key, int64_t *out)
{
    const struct json *node = json_get(ev->tree, str_of(key));
    if (json_int(node, out)) {
        return true;
    }
    struct str literal = json_literal(node);
    if (ev->version->strict_json || literal.n == 0) {
        return false;
    }
    for (size_t i = literal.p[0] == '-' ? 1 : 0; i < literal.n; i++) {
        if (literal.p[i] < '0' || literal.p[i] > '9') {
            return false;
        }
    }
    if (!str_to_i64(literal, out)) {
        *out = literal.p[0] == '-' ? INT64_MIN : INT64_MAX;
    }
    return true;
}

static enum err read_numbers(struct reading *r)
{
    struct event *ev = r->ev;
    if (!read_integer(ev, "depth", &ev->depth) || ev->depth < 0) {
        return refuse(r, ERR_SYNTAX, "depth is not a natural number");
    }
    if (!read_integer(ev, "origin_server_ts", &ev->origin_server_ts)) {
        return refuse(r, ERR_SYNTAX, "origin_server_ts is not an integer");
    }
    return ERR_NONE;
}

/* A list of ids; in versions 1 and 2 of pairs of an id and its hashes. */
static enum err read_ids(struct reading *r, const char *key, size_t max, struct strs *out)
{
    const struct json *list = json_get_array(r->ev->tree, key);
    bool pairs = r->ev->version->id_form == VERSION_ID_SERVER;
    if (list == NULL) {
        return refuse(r, ERR_SYNTAX, "prev_events or auth_events is not a list");
    }
    if (json_count(list) > max) {
        return refuse(r, ERR_LIMIT, "too many prev_events or auth_events");
    }
    struct str *ids = arena_array(r->a, json_count(list), sizeof(*ids));
    size_t n = 0;
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        ids[n] = json_text(pairs ? json_first(x) : x);
        if (!mxid_is_event(ids[n])) {
            return refuse(r, ERR_SYNTAX, "prev_events or auth_events has what is no event id");
        }
        n++;
    }
    *out = (struct strs){ids, n};
    return ERR_NONE;
}

static enum err read_objects(struct reading *r)
{
    struct event *ev = r->ev;
    ev->content = json_get_object(ev->tree, "content");
    if (ev->content == NULL) {
        return refuse(r, ERR_SYNTAX, "content is not an object");
    }
    if (json_get_object(ev->tree, "hashes") == NULL ||
        json_get_object(ev->tree, "signatures") == NULL) {
        return refuse(r, ERR_SYNTAX, "hashes or signatures is not an object");
    }
    if (str_eq(ev->type, STR("m.room.redaction"))) {
        ev->redacts =
            json_get_text(ev->version->redacts_in_content ? ev->content : ev->tree, "redacts");
    }
    return ERR_NONE;
}

/* From version 12 on the create event has no room id: it makes it. */
static enum err read_room_id(struct reading *r)
{
    struct event *ev = r->ev;
    ev->room_id = json_get_text(ev->tree, "room_id");
    if (ev->version->room_id_is_create_hash && str_eq(ev->type, STR("m.room.create"))) {
        ev->room_id = arena_join(r->a, STR("!"), str_from(ev->id, 1), STR_ABSENT);
    }
    return mxid_is_room(ev->room_id) ? ERR_NONE : refuse(r, ERR_SYNTAX, "room_id is no room id");
}

/* All but id and room id. */
static enum err read_fields(struct reading *r)
{
    TRY(read_texts(r));
    TRY(read_numbers(r));
    TRY(read_objects(r));
    TRY(read_ids(r, "prev_events", EVENT_PREV_MAX, &r->ev->prev_events));
    return read_ids(r, "auth_events", EVENT_AUTH_MAX, &r->ev->auth_events);
}

static enum err write_canonical(struct reading *r)
{
    struct event *ev = r->ev;
    struct strs nothing = {0};
    struct buf text;
    buf_init(&text, EVENT_SIZE_MAX);
    enum err err = ev->version->strict_json ? canon_write(&text, ev->tree, nothing)
                                            : canon_write_lenient(&text, ev->tree, nothing);
    ev->json = arena_str(r->a, buf_str(&text));
    buf_release(&text);
    if (err == ERR_LIMIT) {
        return refuse(r, err, "the event is larger than 65536 bytes");
    }
    return err == ERR_NONE ? err : refuse(r, err, "a number is not canonical");
}

/* Recursion ends at `left`, whatever the tree. */
static bool is_nested_deeper(const struct json *node, int left)
{
    for (const struct json *x = json_first(node); x != NULL; x = json_next(x)) {
        if (left == 0 || is_nested_deeper(x, left - 1)) {
            return true;
        }
    }
    return false;
}

/* The member of versions 1 and 2, or the name that the sealed bytes give it. */
static enum err read_id(struct reading *r)
{
    struct event *ev = r->ev;
    if (ev->version->id_form == VERSION_ID_SERVER) {
        ev->id = json_get_text(ev->tree, "event_id");
    } else if (!str_is_absent(ev->sealed) ||
               seal_bytes(r->a, ev->version, ev->tree, &ev->sealed) == ERR_NONE) {
        ev->id = seal_name(r->a, ev->version, ev->sealed);
    }
    return mxid_is_event(ev->id) ? ERR_NONE : refuse(r, ERR_SYNTAX, "event_id is no event id");
}

static enum err read_all(struct reading *r, struct json *pdu)
{
    if (!json_is(pdu, JSON_OBJECT)) {
        return refuse(r, ERR_SYNTAX, "the event is not an object");
    }
    json_remove(pdu, STR("unsigned"));
    r->ev->tree = pdu;
    TRY(read_fields(r));
    if (is_nested_deeper(pdu, EVENT_NESTING_MAX)) {
        return refuse(r, ERR_LIMIT, "the event is nested too deeply");
    }
    TRY(write_canonical(r));
    TRY(read_id(r));
    if (r->ev->version->id_form == VERSION_ID_SERVER && mxid_server(r->ev->id).n == 0) {
        return refuse(r, ERR_SYNTAX, "event_id names no server");
    }
    return read_room_id(r);
}

enum err event_parse(struct arena *a, const struct room_version *version, struct json *pdu,
                     struct event **out, const char **why)
{
    return event_parse_sealed(a, version, pdu, STR_ABSENT, out, why);
}

enum err event_parse_sealed(struct arena *a, const struct room_version *version, struct json *pdu,
                            struct str sealed, struct event **out, const char **why)
{
    struct reading r = {.a = a, .ev = ARENA_NEW(a, struct event)};
    r.ev->version = version;
    r.ev->sealed = sealed;
    enum err err = read_all(&r, pdu);
    if (err == ERR_NONE) {
        *out = r.ev;
    } else if (why != NULL) {
        *why = r.why;
    }
    return err;
}

enum err event_parse_text(struct arena *a, const struct room_version *version, struct str pdu,
                          struct event **out, const char **why)
{
    struct json *tree;
    TRY(json_parse(a, pdu, &tree, why));
    return event_parse(a, version, tree, out, why);
}

static enum err load(struct arena *a, const struct room_version *version, struct str id,
                     struct json *tree, struct event **ev)
{
    struct reading r = {.a = a, .ev = ARENA_NEW(a, struct event)};
    r.ev->version = version;
    r.ev->tree = tree;
    r.ev->id = arena_str(a, id);
    *ev = r.ev;
    if (read_fields(&r) != ERR_NONE || read_room_id(&r) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    return ERR_NONE;
}

enum err event_from_tree(struct arena *a, const struct room_version *version, struct str id,
                         struct json *tree, struct event **out)
{
    struct event *ev;
    TRY(load(a, version, id, tree, &ev));
    struct reading r = {.a = a, .ev = ev};
    if (write_canonical(&r) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    *out = ev;
    return ERR_NONE;
}

enum err event_copy(struct arena *a, const struct event *ev, struct event **out)
{
    TRY(load(a, ev->version, ev->id, canon_copy(a, ev->tree), out));
    (*out)->json = arena_str(a, ev->json);
    return ERR_NONE;
}

enum err event_load(struct arena *a, const struct room_version *version, struct str id,
                    struct str pdu, struct event **out)
{
    struct json *tree;
    struct event *ev;
    if (json_parse(a, pdu, &tree, NULL) != ERR_NONE) {
        return ERR_CORRUPT;
    }
    TRY(load(a, version, id, tree, &ev));
    ev->json = arena_str(a, pdu);
    *out = ev;
    return ERR_NONE;
}

bool event_is_state(const struct event *ev)
{
    return !str_is_absent(ev->state_key);
}

bool event_is(const struct event *ev, struct str type, struct str state_key)
{
    return event_is_state(ev) && str_eq(ev->type, type) && str_eq(ev->state_key, state_key);
}

struct str event_membership(const struct event *ev)
{
    return str_eq(ev->type, STR("m.room.member")) ? json_get_text(ev->content, "membership")
                                                  : STR_ABSENT;
}
