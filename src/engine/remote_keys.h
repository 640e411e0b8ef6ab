/* Keys of the devices of users elsewhere, kept as long as they are true (server-server API, "Device
 * Management"): their server tells each change to those who share a room with the user. What we
 * share no room for is never kept; a list that missed a change is stale until it is asked for anew,
 * by a client's question or by fed/resync.c. What is kept is read with device_keys_get and
 * cross_keys_put. */
#ifndef ENGINE_REMOTE_KEYS_H
#define ENGINE_REMOTE_KEYS_H

#include "engine/engine.h"

struct remote_keys {
    int64_t user;
    int64_t list; /* its row; 0: nothing is kept */
    bool is_stale;
    int64_t stream_id; /* of the last change in it; 0: unknown */
    int64_t failures;  /* of asking for it */
    int64_t doubts;    /* how often it became stale */
};

enum err remote_keys_find(struct hs *hs, struct str user_id, struct remote_keys *out) MUST_USE;
/* The same, made (and stale) if it is not there and may be: list 0 when it may not. To be called
 * before its server is asked. */
enum err remote_keys_open(struct hs *hs, struct str user_id, struct remote_keys *out) MUST_USE;
/* An answer of GET /user/devices in the form of one of POST /user/keys/query, in the arena. */
struct json *remote_keys_of_devices(struct arena *a, struct str user_id, const struct json *body);
/* An answer to that question, whole: it replaces what is kept. *taken false: it says nothing of the
 * user, or is too old, as the list became stale or went since it was asked for. */
enum err remote_keys_take(struct hs *hs, const struct remote_keys *keys, struct str user_id,
                          const struct json *answer, int64_t stream_id, bool *taken) MUST_USE;
/* An m.device_list_update. *is_true: what is kept has it, or nothing is kept; else it is stale. */
enum err remote_keys_update(struct hs *hs, struct str user_id, const struct json *content,
                            bool *is_true) MUST_USE;
/* Something in it changed, nobody knows what. *is_true: nothing is kept. */
enum err remote_keys_doubt(struct hs *hs, struct str user_id, bool *is_true) MUST_USE;
enum err remote_keys_drop(struct hs *hs, int64_t user) MUST_USE;
/* The user, of us or of others, is not joined to the room any more: what we now share no room for
 * is dropped, as its changes are not told to us any more. */
enum err remote_keys_parted(struct hs *hs, int64_t user, int64_t room, bool is_ours) MUST_USE;

#endif
