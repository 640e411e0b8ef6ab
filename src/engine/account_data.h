/* A user's own data, global (room 0) or of a room. A change is news for that user alone. */
#ifndef ENGINE_ACCOUNT_DATA_H
#define ENGINE_ACCOUNT_DATA_H

#include "engine/engine.h"

/* The content, NULL when there is none. A tree of the caller's own. */
enum err account_data_get(struct hs *hs, struct arena *a, int64_t user, int64_t room,
                          struct str type, struct json **out) MUST_USE;
enum err account_data_put(struct hs *hs, int64_t user, int64_t room, struct str type,
                          const struct json *content) MUST_USE;

#endif
