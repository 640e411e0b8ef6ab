/* Push rules: reading and changing (client-server API, "Push rules: API"). */
#ifndef CLIENT_PUSH_RULES_H
#define CLIENT_PUSH_RULES_H

#include "engine/req.h"

enum err push_all_get(struct hs *hs, struct req *req);    /* /pushrules/ */
enum err push_global_get(struct hs *hs, struct req *req); /* /pushrules/global/ */
enum err push_kind_get(struct hs *hs, struct req *req);   /* /pushrules/global/{kind} */
enum err push_rule_get(struct hs *hs, struct req *req);   /* /pushrules/global/{kind}/{id} */
enum err push_rule_put(struct hs *hs, struct req *req);
enum err push_rule_delete(struct hs *hs, struct req *req);
enum err push_part_get(struct hs *hs, struct req *req); /* .../{enabled or actions} */
enum err push_part_put(struct hs *hs, struct req *req);
/* 400 for paths that no rule has. */
enum err push_path_deny(struct hs *hs, struct req *req);

#endif
