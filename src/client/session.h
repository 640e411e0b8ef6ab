/* Tokens that end or are for one use, and the end of an account. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "engine/req.h"

enum err refresh_post(struct hs *hs, struct req *req);
enum err login_token_post(struct hs *hs, struct req *req);
enum err openid_post(struct hs *hs, struct req *req);
enum err deactivate_post(struct hs *hs, struct req *req);
/* of the user himself, or asked by an administrator */
enum err whois_get(struct hs *hs, struct req *req);
/* The account of req->user ends: it leaves its rooms and is logged out for good. */
enum err session_end(struct hs *hs, struct req *req, bool erase) MUST_USE;

#endif
