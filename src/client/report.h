/* Reports of rooms, events and users (client-server API, "Reporting Content"). They are kept for
 * the administrator. */
#ifndef CLIENT_REPORT_H
#define CLIENT_REPORT_H

#include "engine/req.h"

enum err report_room_post(struct hs *hs, struct req *req);  /* /rooms/{}/report */
enum err report_event_post(struct hs *hs, struct req *req); /* /rooms/{}/report/{} */
enum err report_user_post(struct hs *hs, struct req *req);  /* /users/{}/report */

#endif
