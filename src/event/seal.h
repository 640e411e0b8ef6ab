/* Hashes, signatures and ids of events, and signatures of any JSON object (server-server API,
 * "Signing Events"; appendices, "Signing JSON"). Keys are the caller's to find. */
#ifndef EVENT_SEAL_H
#define EVENT_SEAL_H

#include "crypto/hash.h"
#include "event/event.h"

/* --- any JSON object: requests (X-Matrix), key documents, third-party invites ------------------
 */

/* Puts signatures.<server>.<key_id>. ERR_SYNTAX: the object has no canonical form. */
enum err seal_json_sign(struct arena *a, struct json *object,
                        const struct event_signer *signer) MUST_USE;
/* A request to another server; content NULL: without a body. */
struct seal_request {
    struct str method, uri, destination;
    const struct json *content;
};
/* The value of its authorization header ("Request Authentication"). The numbers of its content are
 * signed as they are written: events of old rooms may have others than canonical JSON knows. */
enum err seal_request_sign(struct arena *a, const struct seal_request *request,
                           const struct event_signer *signer, struct str *out) MUST_USE;
/* Who says to have signed a request, and his signature in base64. */
struct seal_request_claim {
    struct str origin, key_id, signature;
};
/* ERR_REFUSED: it does not fit, or the key id is not one that this server name may use
 * (mxid_key_id_fits). ERR_SYNTAX: it is no base64 of a signature. */
enum err seal_request_check(struct arena *a, const struct seal_request *request,
                            const struct seal_request_claim *claim,
                            const uint8_t public_key[SIGN_PUBLIC_SIZE]) MUST_USE;
/* ERR_ABSENT: no such signature. ERR_REFUSED: as above. ERR_SYNTAX: no canonical form, no base64.
 */
enum err seal_json_check(struct arena *a, const struct json *object, struct str server,
                         struct str key_id, const uint8_t public_key[SIGN_PUBLIC_SIZE]) MUST_USE;
/* The same for a signature of a user, whose key ids are made of a device id or of the key itself.
 */
enum err seal_user_json_check(struct arena *a, const struct json *object, struct str user_id,
                              struct str key_id,
                              const uint8_t public_key[SIGN_PUBLIC_SIZE]) MUST_USE;
/* The ed25519 key ids under signatures.<server>, in their order; none: n == 0. */
struct strs seal_key_ids(struct arena *a, const struct json *object, struct str server);
/* A public key in base64, any of the two alphabets. ERR_SYNTAX: not 32 bytes. */
enum err seal_key_parse(struct str base64, uint8_t public_key[SIGN_PUBLIC_SIZE]) MUST_USE;

/* --- events ------------------------------------------------------------------------------------
 */

enum err seal_content_hash(const struct room_version *version, const struct json *pdu,
                           uint8_t out[HASH_SIZE]) MUST_USE;
/* Canonical JSON of the redacted event without its signatures: what servers sign and what is hashed
 * for the id. */
enum err seal_bytes(struct arena *a, const struct room_version *version, const struct json *pdu,
                    struct str *out) MUST_USE;
/* "$" and the hash of those bytes; from version 3 on. */
struct str seal_name(struct arena *a, const struct room_version *version, struct str sealed);
/* "$" and the reference hash; in versions 1 and 2 the member event_id. */
enum err seal_event_id(struct arena *a, const struct room_version *version, const struct json *pdu,
                       struct str *id) MUST_USE;
/* Puts `hashes`, then the signature, which is over *sealed (seal_bytes). */
enum err seal_sign(struct arena *a, const struct room_version *version, struct json *pdu,
                   const struct event_signer *signer, struct str *sealed) MUST_USE;

/* Puts the signature alone: a second server agrees to an event. */
enum err seal_countersign(struct arena *a, const struct room_version *version, struct json *pdu,
                          const struct event_signer *signer) MUST_USE;

/* Step 3 of the checks: false means that the event is taken in its redacted form (redact_event). */
bool seal_hash_fits(struct arena *a, const struct event *ev);
/* Errors as for seal_json_check. The signature is over the redacted event. */
enum err seal_check(struct arena *a, const struct event *ev, struct str server, struct str key_id,
                    const uint8_t public_key[SIGN_PUBLIC_SIZE]) MUST_USE;
/* Step 2: every server that must have signed the event: the sender's (except for an invite made
 * from a third-party invite), in versions 1 and 2 that of the event id, and the authorising user's
 * of a restricted join. One good signature of each is enough. At most three. */
struct strs seal_servers(struct arena *a, const struct event *ev);

/* Is `signed` of a third-party invite signed with this key (base64) by anyone? Looks at the first
 * 16 signatures only. */
bool seal_third_party_fits(struct arena *a, const struct json *signed_object, struct str key);

#endif
