/* PUT /send: PDUs and EDUs of another server (server-server API, "Transactions"). */
#ifndef FED_TRANSACTION_H
#define FED_TRANSACTION_H

#include "engine/req.h"

enum err transaction_put(struct hs *hs, struct req *req);

#endif
