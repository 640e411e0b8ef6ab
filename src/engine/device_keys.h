/* End-to-end keys of devices: identity keys, one-time keys and fallback keys (client-server API,
 * "Key management API"). Asked by clients and by other servers. Of users elsewhere only identity
 * keys are here, and only while remote_keys.h says that they are true. */
#ifndef ENGINE_DEVICE_KEYS_H
#define ENGINE_DEVICE_KEYS_H

#include "engine/engine.h"

/* {device: device keys with unsigned.device_display_name} of a user. devices: an array of ids; NULL
 * or empty: all of them. */
enum err device_keys_get(struct hs *hs, struct arena *a, struct str user_id,
                         const struct json *devices, struct json **out) MUST_USE;
/* Does such an array ask for that device? */
bool device_keys_is_wanted(const struct json *devices, struct str id);
/* The keys of one device with its own user's signatures; *out NULL: none. */
enum err device_keys_one(struct hs *hs, struct arena *a, int64_t user, struct str device_id,
                         struct json **out) MUST_USE;
/* Answers /keys/claim for one of our users: of asked, whose key is the user and whose members are
 * {device: algorithm}, takes what there is into found: {user: {device: {"<algorithm>:<id>": key}}}.
 * A user of whom there is nothing is left out. */
enum err one_time_keys_claim(struct hs *hs, struct arena *a, const struct json *asked,
                             struct json *found) MUST_USE;

enum one_time_put {
    ONE_TIME_KEPT,
    ONE_TIME_CLASH, /* another key has this id */
    ONE_TIME_FULL,
};
/* name: "<algorithm>:<id>"; the same key twice is kept once. */
enum err one_time_key_put(struct hs *hs, int64_t user, struct str device_id, struct str name,
                          const struct json *key, enum one_time_put *result) MUST_USE;

#endif
