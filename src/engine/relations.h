/* What relates to what (m.relates_to), by target; redactions are kept the same way. What was
 * redacted relates no more. */
#ifndef ENGINE_RELATIONS_H
#define ENGINE_RELATIONS_H

#include "engine/event_cache.h"

/* Rows of the store that stand for redactions carry this type; no client can relate by it. */
#define RELATION_REDACTS "redacts"

/* What a placed event relates to, and what it redacts. */
enum err relations_put(struct hs *hs, int64_t room, int64_t nid, int64_t position,
                       const struct event *ev) MUST_USE;
/* The event was redacted: its relation is gone, and a thread may end earlier. */
enum err relations_drop(struct hs *hs, const struct stored *s) MUST_USE;

#endif
