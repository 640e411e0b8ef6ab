/* What an administrator orders on the command line (`neurite admin`): a body of words, one a line,
 * and an answer in plain text for people. */
#ifndef CLIENT_ADMIN_H
#define CLIENT_ADMIN_H

#include "engine/req.h"

enum err admin_post(struct hs *hs, struct req *req); /* /_neurite/admin */

#endif
