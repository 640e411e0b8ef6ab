/* `neurite admin`: an order to the homeserver that runs, and its answer. */
#ifndef HOST_NATIVE_ORDER_H
#define HOST_NATIVE_ORDER_H

#include "host/native/config.h"

/* Prints the answer; false: a sentence went to standard error instead. */
bool order_run(const struct config *config);

#endif
