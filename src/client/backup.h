/* Backups of room keys (client-server API, "Server-side key backups"). The three keys handlers
 * serve all keys, those of a room, and one, by how many parameters their path has. */
#ifndef CLIENT_BACKUP_H
#define CLIENT_BACKUP_H

#include "engine/req.h"

enum err backup_version_post(struct hs *hs, struct req *req);
enum err backup_current_get(struct hs *hs, struct req *req);
enum err backup_version_get(struct hs *hs, struct req *req);
enum err backup_version_put(struct hs *hs, struct req *req);
enum err backup_version_delete(struct hs *hs, struct req *req);
enum err backup_keys_get(struct hs *hs, struct req *req);
enum err backup_keys_put(struct hs *hs, struct req *req);
enum err backup_keys_delete(struct hs *hs, struct req *req);

#endif
