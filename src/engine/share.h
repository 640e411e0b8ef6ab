/* Those who share a room with a user: whom his presence and his devices concern. */
#ifndef ENGINE_SHARE_H
#define ENGINE_SHARE_H

#include "engine/engine.h"

/* News for every user of ours who shares a room with this one, and for himself. */
enum err share_news(struct hs *hs, int64_t user) MUST_USE;
/* An EDU to every other server that shares a room with the user; key as in outbox.h. */
enum err share_edu(struct hs *hs, int64_t user, struct str edu_type, const struct json *content,
                   struct str key) MUST_USE;

#endif
