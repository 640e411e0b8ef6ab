/* A signature for what the rules allow. */
#include "fed/policy.h"

#include "base/encode.h"
#include "engine/current.h"
#include "engine/policy_key.h"
#include "event/seal.h"
#include "fed/asked_room.h"
#include "fed/incoming.h"

/* Does the room name us, with our key? */
static enum err is_policy_server(struct hs *hs, struct req *req, const struct room *room,
                                 const struct sign_key *key, bool *is)
{
    struct json *content;
    TRY(current_content(hs, room, STR("m.room.policy"), STR(""), &content));
    struct str named = json_get_text(json_get_object(content, "public_keys"), "ed25519");
    struct str ours = base64_write(req->a, str_make(key->public_key, sizeof(key->public_key)));
    *is = str_eq(json_get_text(content, "via"), hs->identity.server) && str_eq(named, ours);
    return ERR_NONE;
}

/* The current state's word on the event; *ok false: the refusal is set. */
static enum err check(struct hs *hs, struct req *req, const struct room *room,
                      const struct event *ev, bool *ok)
{
    struct current_view view = {.hs = hs, .room = room};
    struct verdict verdict = auth_check(req->a, ev, current_view(&view));
    TRY(view.err);
    *ok = verdict.kind == VERDICT_ACCEPT && !event_is(ev, STR("m.room.policy"), STR(""));
    return *ok ? ERR_NONE
               : reply_error(req, 400, "M_FORBIDDEN", "%s",
                             verdict.why == NULL ? "policies are not signed" : verdict.why);
}

enum err policy_sign_post(struct hs *hs, struct req *req)
{
    struct room *room;
    struct event *ev;
    struct sign_key key;
    const char *why = "";
    bool ok;
    policy_key(hs, &key);
    req->params[0] = json_get_text(req->body, "room_id");
    TRY(asked_room_of_resident(hs, req, &room));
    if (room == NULL) {
        return ERR_NONE;
    }
    TRY(is_policy_server(hs, req, room, &key, &ok));
    if (!ok) {
        return reply_not_found(req, "this server is not the policy server of that room");
    }
    TRY(incoming_parse(hs, req->a, room, json_copy(req->a, req->body), &ev, &why));
    if (ev == NULL) {
        return reply_error(req, 400, "M_BAD_JSON", "%s", why);
    }
    TRY(check(hs, req, room, ev, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    struct json *pdu = json_copy(req->a, ev->tree);
    struct event_signer signer = {hs->identity.server, STR("ed25519:policy_server"), &key};
    json_remove(pdu, STR("signatures"));
    TRY(seal_countersign(req->a, ev->version, pdu, &signer));
    return reply_json(req, json_copy(req->a, json_get(pdu, STR("signatures"))));
}
