/* Databases that were exported: the original rests, the copy gets a new epoch. */
#ifndef HS_MOVING_H
#define HS_MOVING_H

#include "engine/engine.h"

/* At the start, before anything else is read. ERR_REFUSED: a moved database that is not imported,
 * or an import of one that was not exported; ERR_CORRUPT: an import that is damaged. */
enum err moving_check(struct hs *hs, bool is_import, const char **why) MUST_USE;

#endif
