/* Devices: list, name, delete (client-server API, "Device management"). */
#ifndef CLIENT_DEVICES_H
#define CLIENT_DEVICES_H

#include "engine/req.h"

enum err devices_get(struct hs *hs, struct req *req);
enum err device_get(struct hs *hs, struct req *req); /* /devices/{} */
enum err device_put(struct hs *hs, struct req *req);
enum err device_delete(struct hs *hs, struct req *req);
enum err devices_delete_post(struct hs *hs, struct req *req); /* /delete_devices */

#endif
