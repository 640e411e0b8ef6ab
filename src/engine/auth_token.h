/* Access tokens: "Authorization: Bearer", or the query's access_token. Only hashes are stored. */
#ifndef ENGINE_AUTH_TOKEN_H
#define ENGINE_AUTH_TOKEN_H

#include "engine/req.h"

/* Fills the user of the request by what its row demands, or sets a refusal. */
enum err auth_token_check(struct hs *hs, struct req *req) MUST_USE;
/* A new token for a device, made, stored, and put into out.access_token. refreshable: it ends after
 * out.expires_in_ms, and out.refresh_token gets the next. */
enum err auth_token_pair(struct hs *hs, struct arena *a, int64_t user, struct str device_id,
                         bool refreshable, struct json *out) MUST_USE;

/* Tokens for one purpose: kind is "refresh", "login" or "openid". */
struct special_token {
    int64_t user;
    struct str device_id, hash;
};
enum err auth_special_new(struct hs *hs, struct arena *a, const char *kind, int64_t user,
                          struct str device_id, int64_t lives_ms, struct str *token) MUST_USE;
/* ERR_ABSENT: unknown, of another kind, too old, or of an account that was deactivated. */
enum err auth_special_find(struct hs *hs, struct arena *a, const char *kind, struct str token,
                           struct special_token *out) MUST_USE;

/* The guest whose access token this is; ERR_ABSENT: it is no guest's. */
enum err auth_guest_find(struct hs *hs, struct arena *a, struct str token, int64_t *user,
                         struct str *user_id) MUST_USE;

#endif
