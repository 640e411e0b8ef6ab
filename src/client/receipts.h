/* Receipts and read markers (client-server API, "Receipts", "Fully read markers"). */
#ifndef CLIENT_RECEIPTS_H
#define CLIENT_RECEIPTS_H

#include "client/access.h"

enum err receipt_post(struct hs *hs, struct req *req);      /* /rooms/{}/receipt/{type}/{event} */
enum err read_markers_post(struct hs *hs, struct req *req); /* /rooms/{}/read_markers */

#endif
