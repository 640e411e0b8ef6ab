/* The keys that other servers sign with. A peer's name is its key; every other server tells its own
 * over HTTPS (server-server API, "Retrieving server keys"), and what it told is kept.
 *
 * Checks are made in the middle of work, where nothing can be waited for. So whoever takes
 * something signed from outside first calls server_keys_await for it, and goes on when told. */
#ifndef ENGINE_SERVER_KEYS_H
#define ENGINE_SERVER_KEYS_H

#include "engine/engine.h"

struct key_waits;
struct key_waits *key_waits_new(void);
void key_waits_free(struct key_waits *waits);

/* The key, if it may sign at that time (unix_ms). ERR_ABSENT: it is not known, or its server has
 * not vouched for it so long: of a key of former days, till it was given up. */
enum err server_key_find(struct hs *hs, struct str server, struct str key_id, int64_t at_ms,
                         uint8_t key[SIGN_PUBLIC_SIZE]) MUST_USE;
/* Does the event have a good signature of the server? ERR_REFUSED: it has none that fits;
 * ERR_ABSENT: none of a key that is known and, from room version 5 on, was good at the
 * event's origin_server_ts. */
enum err server_keys_check(struct hs *hs, struct arena *a, const struct event *ev,
                           struct str server) MUST_USE;

/* Is the key known, and vouched for still or given up: is there nothing to learn by asking for it?
 */
enum err server_keys_is_known(struct hs *hs, struct str server, struct str key_id,
                              bool *is) MUST_USE;
/* The last that the server told of its keys, as it told it; *out NULL: nothing is kept. */
enum err server_keys_told(struct hs *hs, struct arena *a, struct str server,
                          struct json **out) MUST_USE;

/* Are these keys, as a server tells them, signed with one of them and under its name, and no more
 * than a server needs to tell? A peer's name is its key. */
bool server_keys_are_of(struct arena *a, const struct json *body, struct str server);

/* Who wants to be told, and what for. */
struct key_waiter {
    void (*done)(struct hs *hs, uint64_t id);
    uint64_t id;
};

/* Asks for the key of server under key_id. *waits: done is called in a later turn, within
 * KEY_TIMEOUT_MS, also when the key cannot be had; else all that can be known is known. */
enum err server_keys_await(struct hs *hs, struct str server, struct str key_id,
                           struct key_waiter waiter, bool *waits) MUST_USE;
/* The same for every event in a body: itself, its members and what their lists hold. Of so many
 * servers at most as are asked at once: whoever is told may call it again for the rest. */
enum err server_keys_await_events(struct hs *hs, const struct json *body, struct key_waiter waiter,
                                  bool *waits) MUST_USE;
/* End of the turn: tells those whose waiting has ended. */
void server_keys_turn(struct hs *hs);

#endif
