/* Presence: the last known one of each user is a row; who is here right now (asks for /sync) is
 * known in memory only, so that a poll with nothing new writes nothing. */
#ifndef ENGINE_PRESENCE_H
#define ENGINE_PRESENCE_H

#include "engine/engine.h"

struct presence;
struct presence *presence_new(void);
void presence_free(struct presence *presence);

/* "online", "unavailable", "offline"? */
bool presence_is_word(struct str presence);
/* {presence, last_active_ago, status_msg, currently_active}; NULL: nothing is known. */
enum err presence_content(struct hs *hs, struct arena *a, int64_t user, struct json **out) MUST_USE;
/* The same as an event {type, sender, content}; of whom nothing is known: offline. */
enum err presence_event(struct hs *hs, struct arena *a, int64_t user, struct str user_id,
                        struct json **out) MUST_USE;
/* A user of ours says so: stored, told to whom he shares a room with, here and elsewhere. */
enum err presence_set(struct hs *hs, int64_t user, struct str user_id, struct str presence,
                      struct str status_msg) MUST_USE;
/* A user of ours asks for /sync with this set_presence (absent: "online"). */
enum err presence_seen(struct hs *hs, int64_t user, struct str user_id,
                       struct str presence) MUST_USE;

/* When the next user has not been seen for PRESENCE_IDLE_MS, mono_ms; -1: none. */
int64_t presence_next_ms(const struct hs *hs);
/* Those users are offline now; an input of its own. */
enum err presence_turn(struct hs *hs) MUST_USE;

#endif
