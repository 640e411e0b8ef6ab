/* Searching for users. */
#ifndef CLIENT_USER_DIRECTORY_H
#define CLIENT_USER_DIRECTORY_H

#include "engine/req.h"

enum err user_search_post(struct hs *hs, struct req *req); /* /user_directory/search */

#endif
