/* Display names and avatars, read. */
#include "engine/user_profile.h"

enum err user_profile_find(struct hs *hs, struct arena *a, int64_t user, struct user_profile *out)
{
    struct query q;
    *out = (struct user_profile){STR_ABSENT, STR_ABSENT};
    TRY(query_one(&q, hs->store, STMT_PROFILE_GET, "i", user));
    out->displayname = query_str(&q, a, 0);
    out->avatar_url = query_str(&q, a, 1);
    return query_end(&q);
}

void user_profile_put(struct json *out, const struct user_profile *profile, struct str field)
{
    if (str_is_absent(field) || str_eq(field, STR("displayname"))) {
        json_put_text(out, "displayname", profile->displayname);
    }
    if (str_is_absent(field) || str_eq(field, STR("avatar_url"))) {
        json_put_text(out, "avatar_url", profile->avatar_url);
    }
}
