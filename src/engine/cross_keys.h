/* Cross-signing keys of our users, and what users say of each other's keys (client-server API,
 * "Cross-signing"). usage is "master", "self_signing" or "user_signing". */
#ifndef ENGINE_CROSS_KEYS_H
#define ENGINE_CROSS_KEYS_H

#include "engine/engine.h"

/* The key as it was uploaded, and its base64 text; *out NULL: there is none. */
enum err cross_key_get(struct hs *hs, struct arena *a, int64_t user, const char *usage,
                       struct json **out, struct str *key) MUST_USE;
/* Puts the user's keys, with the signatures that viewer may see, into out.master_keys,
 * out.self_signing_keys and, for the user himself, out.user_signing_keys. viewer 0: a server. */
enum err cross_keys_put(struct hs *hs, struct arena *a, struct str user_id, int64_t viewer,
                        struct json *out) MUST_USE;
/* News of them, to servers as well when they may see what changed. */
enum err cross_keys_changed(struct hs *hs, int64_t user, struct str user_id,
                            bool tell_servers) MUST_USE;

/* Adds {"<key id>": "<signature>", ...} of the signer to what he said of this key before. key: a
 * device id or a master key. */
enum err key_signatures_add(struct hs *hs, int64_t user, struct str key, int64_t signer,
                            const struct json *signatures) MUST_USE;
/* Puts them into object.signatures.<signer>. */
enum err key_signatures_put(struct hs *hs, struct arena *a, int64_t user, struct str key,
                            int64_t signer, struct json *object) MUST_USE;

#endif
