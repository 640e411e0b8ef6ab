/* A persistent event (PDU) in memory: parsed from a peer or the store, or built here. Immutable;
 * everything in it lives in the arena it was made in. Hashes, signatures and ids are seal.h's,
 * redaction redact.h's, whether it is allowed room/auth.h's business. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "crypto/sign.h"
#include "event/version.h"
#include "json/json.h"

struct event {
    const struct room_version *version;
    struct str id;
    struct str json; /* canonical bytes: what is stored and sent. Without `unsigned`; with event_id
                        only in versions 1 and 2 */
    struct str sealed;  /* canonical bytes of its redacted form without signatures: what is signed
                           and, from version 3 on, hashed for the id; absent: not made */
    struct json *tree;  /* `json` as a tree; do not change it */
    struct str room_id; /* of a version 12 create event: computed, not in the JSON */
    struct str type;
    struct str sender;
    struct str state_key; /* absent: not a state event */
    struct str redacts;   /* of a redaction, wherever the version keeps it; else absent */
    int64_t depth;
    int64_t origin_server_ts;
    struct strs prev_events;
    struct strs auth_events;
    struct json *content; /* always an object */
};

/* The checks of form (server-server API, "Checks performed on receipt of a PDU", 1): types and
 * sizes of all fields, at most 20 prev_events and 10 auth_events, 65536 bytes of canonical JSON
 * with signatures, canonical numbers where the version wants them. pdu is taken over and `unsigned`
 * removed from it; from version 3 on the id is computed. ERR_SYNTAX or ERR_LIMIT; *why (may be
 * NULL) names the field. Hash and signatures are not checked here. */
enum err event_parse(struct arena *a, const struct room_version *version, struct json *pdu,
                     struct event **out, const char **why) MUST_USE;
/* The same of a PDU that was sealed just now, over these bytes (seal_sign). */
enum err event_parse_sealed(struct arena *a, const struct room_version *version, struct json *pdu,
                            struct str sealed, struct event **out, const char **why) MUST_USE;
/* json_parse and event_parse in one. */
enum err event_parse_text(struct arena *a, const struct room_version *version, struct str pdu,
                          struct event **out, const char **why) MUST_USE;
/* Of a tree (taken over) that is known to be good and whose id is known: neither sizes nor hashes
 * are looked at again. ERR_CORRUPT if a field is missing after all. */
enum err event_from_tree(struct arena *a, const struct room_version *version, struct str id,
                         struct json *tree, struct event **out) MUST_USE;
/* The same event in another arena, as event_load would give it. */
enum err event_copy(struct arena *a, const struct event *ev, struct event **out) MUST_USE;
/* Of the text in our own store; text is copied. */
enum err event_load(struct arena *a, const struct room_version *version, struct str id,
                    struct str pdu, struct event **out) MUST_USE;

/* What a new event is made of. Absent texts are left out. */
struct event_parts {
    struct str type;
    struct str sender;
    struct str room_id;         /* absent for a version 12 create event */
    struct str state_key;       /* absent: a message */
    struct str redacts;         /* put where the version wants it */
    struct str id;              /* versions 1 and 2 only: "$random:server" */
    const struct json *content; /* copied; NULL: {} */
    struct strs prev_events;
    struct strs auth_events;
    int64_t depth;
    int64_t origin_server_ts;
};

/* Who signs. */
struct event_signer {
    struct str server;
    struct str key_id;
    const struct sign_key *key;
};

/* Hashes, signs and names a new event, then runs the checks of event_parse on it, so ERR_LIMIT is
 * an event too large and ERR_SYNTAX a content that is not canonical (a fraction, say). */
enum err event_build(struct arena *a, const struct room_version *version,
                     const struct event_parts *parts, const struct event_signer *signer,
                     struct event **out, const char **why) MUST_USE;
/* The same event with one signature more (invites, knocks and restricted joins over federation). */
enum err event_countersign(struct arena *a, const struct event *ev,
                           const struct event_signer *signer, struct event **out) MUST_USE;
/* The PDU template that make_join, make_leave and make_knock answer: no hashes, no signatures. */
struct json *event_template(struct arena *a, const struct room_version *version,
                            const struct event_parts *parts);
/* The other side of it: completes a template that the other server made (hashes, signature, id). */
enum err event_complete(struct arena *a, const struct room_version *version, struct json *pdu,
                        const struct event_signer *signer, struct event **out,
                        const char **why) MUST_USE;

bool event_is_state(const struct event *ev);
/* Is it this state event? */
bool event_is(const struct event *ev, struct str type, struct str state_key);
/* content.membership of an m.room.member, else absent. */
struct str event_membership(const struct event *ev);

#endif
