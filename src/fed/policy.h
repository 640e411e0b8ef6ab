/* Being the policy server of a room (server-server API, "Policy servers"): other servers ask
 * whether an event should be in the room. Ours says yes to what the room's rules allow at the
 * moment. */
#ifndef FED_POLICY_H
#define FED_POLICY_H

#include "engine/req.h"

enum err policy_sign_post(struct hs *hs, struct req *req);

#endif
