/* A person with a client: registers, comes into the room, talks, and reads along. A broken
 * connection is answered by the same request again, under the same request id, as our page does. */
#ifndef TEST_SIM_USER_H
#define TEST_SIM_USER_H

#include "test/sim/world.h"

struct user;

struct user *user_new(struct world *world, size_t index, struct station *node);
void user_free(struct user *user);

bool user_is_joined(const struct user *user);
/* Every message is acknowledged. */
bool user_has_spoken(const struct user *user);
/* Every message of every user was read. */
bool user_has_read(const struct user *user);
/* One line on where it is, for a run that does not end. */
void user_describe(const struct user *user);

/* Asks for the room's state; user_state is absent until it is there. */
void user_ask_state(struct user *user);
/* The event ids of the current state, sorted, one a line. */
struct str user_state(const struct user *user);

#endif
