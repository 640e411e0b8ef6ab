/* Who this homeserver is: one key for good, made on first start. */
#ifndef HS_IDENTITY_H
#define HS_IDENTITY_H

#include "engine/engine.h"

/* Loads or makes it. ERR_CORRUPT: the database belongs to another server name; *why says which. */
enum err identity_load(struct hs *hs, struct str server_name, const char **why) MUST_USE;
/* Tokens of /sync that were given before are of another epoch from now on. In an open turn, before
 * identity_load. */
enum err identity_new_epoch(struct hs *hs) MUST_USE;

#endif
