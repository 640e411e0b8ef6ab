/* What the store knows of a user's profile, ours or learnt from member events of others. */
#ifndef ENGINE_USER_PROFILE_H
#define ENGINE_USER_PROFILE_H

#include "engine/engine.h"

struct user_profile {
    struct str displayname, avatar_url; /* absent: not set */
};

/* ERR_ABSENT: there is no row, and *out is empty. */
enum err user_profile_find(struct hs *hs, struct arena *a, int64_t user,
                           struct user_profile *out) MUST_USE;
/* Puts what is set: both members, or the one that field names when it is not absent. */
void user_profile_put(struct json *out, const struct user_profile *profile, struct str field);

#endif
