/* Unread counts, kept in memory so that each event is judged once a reader and not at every /sync.
 * What is not kept is counted anew. */
#ifndef ENGINE_UNREAD_H
#define ENGINE_UNREAD_H

#include "engine/engine.h"

struct unread;
struct unread *unread_new(void);
void unread_free(struct unread *unread);

struct unread_count {
    int64_t read; /* counted after this position: the reader's receipt */
    int64_t upto; /* and up to this one */
    int64_t notify, highlight;
};

/* False: nothing is kept for this receipt. */
bool unread_get(const struct hs *hs, int64_t user, int64_t room, int64_t read,
                struct unread_count *out);
void unread_keep(struct hs *hs, int64_t user, int64_t room, const struct unread_count *count);
/* The user's rules changed. */
void unread_forget(struct hs *hs, int64_t user);

#endif
