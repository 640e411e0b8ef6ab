/* Files of other servers for our users, and ours for other servers (server-server API, "Content
 * Repository"). */
#ifndef FED_MEDIA_H
#define FED_MEDIA_H

#include "engine/remote.h"

enum err media_remote(struct hs *hs, struct req *req, struct str server, struct str id,
                      resume_fn resume);
enum err fed_media_get(struct hs *hs, struct req *req);

#endif
