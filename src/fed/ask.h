/* Questions that any of several servers may answer. */
#ifndef FED_ASK_H
#define FED_ASK_H

#include "engine/remote.h"

enum err ask_remote(struct hs *hs, struct req *req, struct remote_ask *ask, bool *asked);

#endif
