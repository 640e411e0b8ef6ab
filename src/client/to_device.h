/* Send-to-device messages. */
#ifndef CLIENT_TO_DEVICE_H
#define CLIENT_TO_DEVICE_H

#include "engine/req.h"

enum err to_device_put(struct hs *hs, struct req *req); /* /sendToDevice/{type}/{txn} */

#endif
