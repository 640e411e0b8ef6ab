/* Join, invite, leave, kick, ban, unban, forget (client-server API, "Room membership"). */
#ifndef CLIENT_MEMBERSHIP_H
#define CLIENT_MEMBERSHIP_H

#include "client/access.h"

enum err join_post(struct hs *hs, struct req *req);      /* /join/{room id or alias} */
enum err room_join_post(struct hs *hs, struct req *req); /* /rooms/{}/join */
enum err invite_post(struct hs *hs, struct req *req);
enum err leave_post(struct hs *hs, struct req *req);
enum err forget_post(struct hs *hs, struct req *req);
enum err kick_post(struct hs *hs, struct req *req);
enum err ban_post(struct hs *hs, struct req *req);
enum err unban_post(struct hs *hs, struct req *req);
enum err joined_rooms_get(struct hs *hs, struct req *req);

/* May the user, by guest access and restricted join rules, join the room, which we are in? A
 * refusal is set when not; content gets by whose right. *is_inside: he is joined, and nothing is
 * asked. */
enum err membership_enter(struct hs *hs, struct req *req, const struct room *room,
                          struct json *content, bool *is_inside) MUST_USE;
/* Servers to ask about a room we are not in: those the client names, those of what came with an
 * invite (the inviter's first) or a knock, and the room id's own. room may be NULL. */
enum err membership_servers(struct hs *hs, struct req *req, struct str room_id,
                            const struct room *room, struct strs *out) MUST_USE;
/* {membership, displayname, avatar_url} of a user whose profile we have. */
enum err membership_content(struct hs *hs, struct arena *a, int64_t user, const char *membership,
                            struct json **out) MUST_USE;
/* A member event of the user with that content in each room that is here and where his membership
 * is the one named ("join", ...). A room that refuses it stays as it is. */
enum err membership_everywhere(struct hs *hs, struct req *req, const char *membership,
                               const struct json *content) MUST_USE;
/* Invites a user of this or another server. Sets a reply only when refused, and, with `answers`,
 * when done; an invite over federation then parks the request. */
enum err membership_invite(struct hs *hs, struct req *req, struct room *room, struct str user_id,
                           bool is_direct, struct str reason, bool answers) MUST_USE;

#endif
