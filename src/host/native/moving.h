/* The commands that need the data directory and no sockets: export, import, reset, stop. */
#ifndef HOST_NATIVE_MOVING_H
#define HOST_NATIVE_MOVING_H

#include "host/native/config.h"

/* Does what config->command says and says what it did; false: it could not, and said why. */
bool moving_run(const struct config *config);

#endif
