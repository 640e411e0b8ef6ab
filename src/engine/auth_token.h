/* Access tokens: "Authorization: Bearer", or the query's access_token. Only hashes are stored. */
#ifndef ENGINE_AUTH_TOKEN_H
#define ENGINE_AUTH_TOKEN_H

#include "engine/req.h"

/* Fills the user of the request by what its row demands, or sets a refusal. */
enum err auth_token_check(struct hs *hs, struct req *req) MUST_USE;
/* A new token for a device, made and stored. */
enum err auth_token_new(struct hs *hs, struct arena *a, int64_t user, struct str device_id,
                        struct str *token) MUST_USE;

#endif
