/* The content repository, by the paths with authentication and by the older ones without. */
#ifndef CLIENT_MEDIA_H
#define CLIENT_MEDIA_H

#include "engine/req.h"

enum err media_upload_post(struct hs *hs, struct req *req);
enum err media_create_post(struct hs *hs, struct req *req);
enum err media_upload_put(struct hs *hs, struct req *req);
/* params: server, id, and perhaps a file name */
enum err media_download_get(struct hs *hs, struct req *req);
enum err media_thumbnail_get(struct hs *hs, struct req *req);
enum err media_config_get(struct hs *hs, struct req *req);

#endif
