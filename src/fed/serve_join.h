/* The resident's side of joins, knocks and leaves (server-server API, "Joining Rooms", "Knocking
 * upon a room", "Leaving Rooms"). */
#ifndef FED_SERVE_JOIN_H
#define FED_SERVE_JOIN_H

#include "engine/req.h"

enum err make_join_get(struct hs *hs, struct req *req);
enum err send_join_put(struct hs *hs, struct req *req);    /* v2 */
enum err send_join_v1_put(struct hs *hs, struct req *req); /* [200, {...}] */
enum err make_leave_get(struct hs *hs, struct req *req);
enum err send_leave_put(struct hs *hs, struct req *req);    /* v2 */
enum err send_leave_v1_put(struct hs *hs, struct req *req); /* [200, {}] */
enum err make_knock_get(struct hs *hs, struct req *req);
enum err send_knock_put(struct hs *hs, struct req *req);

#endif
