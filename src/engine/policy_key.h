/* The key by which this server speaks as a policy server (server-server API, "Policy servers"). It
 * is not the key of our events: a signature of the one must never pass for one of the other. */
#ifndef ENGINE_POLICY_KEY_H
#define ENGINE_POLICY_KEY_H

#include "engine/engine.h"

/* Made from the identity, so always the same. */
void policy_key(const struct hs *hs, struct sign_key *out);

#endif
