/* A homeserver that goes to live elsewhere (docs/host-interface.md, "Export and import"). */
#ifndef CLIENT_MOVE_H
#define CLIENT_MOVE_H

#include "engine/req.h"

/* Marks the database as moved: hs_open refuses it from then on, and what is in it now is the
 * export. For hosts only; natively it is behind the command line. */
enum err move_post(struct hs *hs, struct req *req);

#endif
