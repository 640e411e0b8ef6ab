/* Who types where. Lives in memory and is bounded: a notice lasts seconds, and a restart forgets
 * it. Each change takes a stream position and wakes the room. */
#ifndef ENGINE_TYPING_H
#define ENGINE_TYPING_H

#include "engine/event_cache.h"

struct typing *typing_new(void);
void typing_free(struct typing *typing);

/* timeout_ms is cut to TYPING_TIMEOUT_MAX_MS. The caller has checked that the user is joined. */
enum err typing_set(struct hs *hs, struct room *room, int64_t user, bool is_typing,
                    int64_t timeout_ms) MUST_USE;
/* Of the last change; 0: none since the start. */
int64_t typing_position(const struct hs *hs, int64_t room);
/* Adds the user ids, in order. */
enum err typing_list(struct hs *hs, struct arena *a, int64_t room, struct json *user_ids) MUST_USE;

/* Earliest end of a notice, mono_ms; -1: none. */
int64_t typing_next_ms(const struct hs *hs);
/* Ends the notices whose time is up; an input of its own. */
enum err typing_turn(struct hs *hs) MUST_USE;

#endif
