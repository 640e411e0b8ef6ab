/* Stream tokens: "s<position>_<epoch>". Between positions: everything up to and including the
 * position is known to its holder. */
#ifndef ENGINE_TOKEN_H
#define ENGINE_TOKEN_H

#include "engine/engine.h"

struct str token_write(struct hs *hs, struct arena *a, int64_t position);
/* False: not a token of this database (another epoch, beyond the newest position, no token). */
bool token_parse(struct hs *hs, struct str token, int64_t *position);

#endif
