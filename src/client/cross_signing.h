/* Uploads of cross-signing keys and of signatures. */
#ifndef CLIENT_CROSS_SIGNING_H
#define CLIENT_CROSS_SIGNING_H

#include "engine/req.h"

enum err device_signing_post(struct hs *hs, struct req *req);
enum err signatures_post(struct hs *hs, struct req *req);

#endif
