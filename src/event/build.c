/* Making events: parts to a PDU, then hash, signature and id, then the same checks as for events
 * from elsewhere. */
#include "event/event.h"
#include "event/seal.h"

static void put_ids(struct json *pdu, const char *key, struct strs ids, bool pairs)
{
    struct json *list = json_put_array(pdu, str_of(key));
    for (size_t i = 0; i < ids.n; i++) {
        if (pairs) {
            struct json *pair = json_push_array(list);
            json_push_text(pair, ids.at[i]);
            (void)json_push_object(pair);
        } else {
            json_push_text(list, ids.at[i]);
        }
    }
}

struct json *event_template(struct arena *a, const struct room_version *version,
                            const struct event_parts *parts)
{
    bool own_ids = version->id_form == VERSION_ID_SERVER;
    struct json *pdu = json_object(a);
    struct json *content = parts->content == NULL ? json_object(a) : json_copy(a, parts->content);
    json_put_text(pdu, "type", parts->type);
    json_put_text(pdu, "sender", parts->sender);
    json_put_text(pdu, "room_id", parts->room_id);
    json_put_text(pdu, "state_key", parts->state_key);
    json_put_text(version->redacts_in_content ? content : pdu, "redacts", parts->redacts);
    if (own_ids) {
        json_put_text(pdu, "event_id", parts->id);
    }
    json_put(pdu, STR("content"), content);
    put_ids(pdu, "prev_events", parts->prev_events, own_ids);
    put_ids(pdu, "auth_events", parts->auth_events, own_ids);
    json_put_int(pdu, "depth", parts->depth);
    json_put_int(pdu, "origin_server_ts", parts->origin_server_ts);
    return pdu;
}

enum err event_complete(struct arena *a, const struct room_version *version, struct json *pdu,
                        const struct event_signer *signer, struct event **out, const char **why)
{
    if (!json_is(pdu, JSON_OBJECT)) {
        return ERR_SYNTAX;
    }
    if (version->id_form != VERSION_ID_SERVER) {
        json_remove(pdu, STR("event_id"));
    }
    json_remove(pdu, STR("unsigned"));
    json_remove(pdu, STR("signatures"));
    struct str sealed;
    enum err err = seal_sign(a, version, pdu, signer, &sealed);
    if (err != ERR_NONE) {
        if (why != NULL) {
            *why = err == ERR_LIMIT ? "the event is too large" : "a number is not canonical";
        }
        return err;
    }
    return event_parse_sealed(a, version, pdu, sealed, out, why);
}

enum err event_build(struct arena *a, const struct room_version *version,
                     const struct event_parts *parts, const struct event_signer *signer,
                     struct event **out, const char **why)
{
    return event_complete(a, version, event_template(a, version, parts), signer, out, why);
}

enum err event_countersign(struct arena *a, const struct event *ev,
                           const struct event_signer *signer, struct event **out)
{
    struct json *pdu = json_copy(a, ev->tree);
    TRY(seal_countersign(a, ev->version, pdu, signer));
    return event_from_tree(a, ev->version, ev->id, pdu, out);
}
