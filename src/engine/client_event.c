/* From PDUs to what clients get. */
#include "engine/client_event.h"

#include "engine/aggregations.h"
#include "engine/current.h"
#include "engine/snapshot.h"
#include "event/redact.h"

static void put_copy(struct arena *a, struct json *to, const struct json *from, const char *key)
{
    const struct json *value = json_get(from, str_of(key));
    if (value != NULL) {
        json_put(to, str_of(key), json_copy(a, value));
    }
}

/* The PDU as it stands: without what a redaction took away. */
static const struct json *tree_of(struct arena *a, const struct stored *s)
{
    return s->redacted_by.p == NULL ? s->ev->tree : redact_json(a, s->ev->version, s->ev->tree);
}

struct json *client_content(struct arena *a, const struct stored *s)
{
    return s->redacted_by.p == NULL ? s->ev->content : json_get_object(tree_of(a, s), "content");
}

static struct json *basics(struct arena *a, const struct event *ev, const struct json *tree,
                           bool without_room_id)
{
    struct json *out = json_object(a);
    put_copy(a, out, tree, "content");
    json_put_text(out, "event_id", ev->id);
    json_put_int(out, "origin_server_ts", ev->origin_server_ts);
    if (!without_room_id) {
        json_put_text(out, "room_id", ev->room_id);
    }
    json_put_text(out, "sender", ev->sender);
    json_put_text(out, "state_key", ev->state_key);
    json_put_text(out, "type", ev->type);
    return out;
}

/* `redacts` in both places: old clients read the top, new ones the content. */
static void put_redacts(struct json *out, const struct event *ev, bool is_redacted)
{
    if (ev->redacts.p == NULL || is_redacted) {
        return;
    }
    json_put_text(out, "redacts", ev->redacts);
    json_put_text(json_get_object(out, "content"), "redacts", ev->redacts);
}

static enum err put_previous(struct hs *hs, struct arena *a, const struct stored *s,
                             struct json *info)
{
    int64_t nid = 0;
    struct stored *before;
    if (!event_is_state(s->ev) || s->before == 0) {
        return ERR_NONE;
    }
    TRY(snapshot_get(hs, s->before, s->ev->type, s->ev->state_key, &nid));
    if (nid == 0) {
        return ERR_NONE;
    }
    TRY(event_get(hs, nid, &before));
    json_put_text(info, "replaces_state", before->ev->id);
    json_put_text(info, "prev_sender", before->ev->sender);
    if (before->redacted_by.p == NULL) {
        json_put(info, STR("prev_content"), json_copy(a, before->ev->content));
    }
    return ERR_NONE;
}

static enum err put_redaction(struct hs *hs, struct arena *a, const struct stored *s,
                              struct json *info)
{
    struct stored *redaction;
    if (s->redacted_by.p == NULL) {
        return ERR_NONE;
    }
    json_put_text(info, "redacted_by", s->redacted_by);
    enum err err = event_find(hs, s->redacted_by, &redaction);
    if (err == ERR_ABSENT) {
        return ERR_NONE;
    }
    TRY(err);
    struct json *because = basics(a, redaction->ev, tree_of(a, redaction), false);
    put_redacts(because, redaction->ev, redaction->redacted_by.p != NULL);
    json_put(info, STR("redacted_because"), because);
    return ERR_NONE;
}

/* Device ids are the same with other users. */
static enum err put_transaction(struct hs *hs, const struct stored *s,
                                const struct client_view *view, struct json *info)
{
    int64_t sender;
    if (view == NULL || view->user == 0 || str_is_absent(s->txn_id) ||
        !str_eq(s->txn_device, view->device_id)) {
        return ERR_NONE;
    }
    TRY(store_name_find(hs->store, s->ev->sender, &sender));
    json_put_text(info, "transaction_id", sender == view->user ? s->txn_id : STR_ABSENT);
    return ERR_NONE;
}

enum err client_event(struct hs *hs, struct arena *a, const struct stored *s,
                      const struct client_view *view, struct json **out)
{
    bool is_redacted = s->redacted_by.p != NULL;
    *out = basics(a, s->ev, tree_of(a, s), view != NULL && view->without_room_id);
    put_redacts(*out, s->ev, is_redacted);
    struct json *info = json_put_object(*out, STR("unsigned"));
    int64_t age = hs->now.unix_ms - s->ev->origin_server_ts;
    json_put_int(info, "age", age > 0 ? age : 0);
    TRY(put_transaction(hs, s, view, info));
    TRY(put_previous(hs, a, s, info));
    TRY(put_redaction(hs, a, s, info));
    return view != NULL && view->without_relations ? ERR_NONE
                                                   : aggregations_put(hs, a, s, view, info);
}

static struct json *strip(struct arena *a, const struct event *ev, const struct json *tree)
{
    struct json *out = json_object(a);
    put_copy(a, out, tree, "content");
    json_put_text(out, "sender", ev->sender);
    json_put_text(out, "state_key", ev->state_key);
    json_put_text(out, "type", ev->type);
    return out;
}

struct json *client_event_strip(struct arena *a, const struct event *ev)
{
    return strip(a, ev, ev->tree);
}

enum err client_event_stripped(struct hs *hs, struct arena *a, const struct room *room,
                               const struct event *ev, struct json **out)
{
    static const char *const types[] = {
        "m.room.create",     "m.room.name",       "m.room.avatar",
        "m.room.topic",      "m.room.join_rules", "m.room.canonical_alias",
        "m.room.encryption",
    };
    *out = json_array(a);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct stored *s;
        TRY(current_get(hs, room, str_of(types[i]), STR(""), &s));
        if (s != NULL) {
            json_push(*out, strip(a, s->ev, tree_of(a, s)));
        }
    }
    if (ev != NULL) {
        json_push(*out, client_event_strip(a, ev));
    }
    return ERR_NONE;
}
