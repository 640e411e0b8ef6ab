/* The rows of the routes' tables that are open to guests. */
#include "engine/guest.h"

/* clang-format off */
static const struct {
    unsigned methods;
    const char *path;
} open_rows[] = {
    {HTTP_GET,              "/client/v3/sync"},
    {HTTP_GET,              "/client/v3/events"},
    {HTTP_GET | HTTP_POST,  "/client/v3/user/{}/filter"},
    {HTTP_GET,              "/client/v3/user/{}/filter/{}"},
    {HTTP_GET,              "/client/v3/account/whoami"},
    {HTTP_GET,              "/client/v3/capabilities"},
    {HTTP_POST,             "/client/v3/logout"},
    {HTTP_POST,             "/client/v3/join/{}"},
    {HTTP_POST,             "/client/v3/rooms/{}/join"},
    {HTTP_POST,             "/client/v3/rooms/{}/leave"},
    {HTTP_POST,             "/client/v3/rooms/{}/forget"},
    {HTTP_PUT,              "/client/v3/rooms/{}/send/{}/{}"},
    {HTTP_GET,              "/client/v3/joined_rooms"},
    {HTTP_GET,              "/client/v3/rooms/{}/state"},
    {HTTP_GET,              "/client/v3/rooms/{}/state/{}"},
    {HTTP_GET,              "/client/v3/rooms/{}/state/{}/{}"},
    {HTTP_GET,              "/client/v3/rooms/{}/messages"},
    {HTTP_GET,              "/client/v3/rooms/{}/event/{}"},
    {HTTP_GET,              "/client/v3/rooms/{}/context/{}"},
    {HTTP_GET,              "/client/v3/rooms/{}/members"},
    {HTTP_GET,              "/client/v3/rooms/{}/joined_members"},
    {HTTP_GET,              "/client/v3/rooms/{}/initialSync"},
    {HTTP_POST,             "/client/v3/publicRooms"},
    {HTTP_PUT,              "/client/v3/profile/{}/{}"},
    {HTTP_GET,              "/client/v3/pushrules"},
    {HTTP_GET,              "/client/v3/devices"},
    {HTTP_GET | HTTP_PUT,   "/client/v3/devices/{}"},
    {HTTP_POST,             "/client/v3/keys/upload"},
    {HTTP_POST,             "/client/v3/keys/query"},
    {HTTP_POST,             "/client/v3/keys/claim"},
    {HTTP_PUT,              "/client/v3/sendToDevice/{}/{}"},
    {HTTP_GET,              "/client/v1/media/config"},
    {HTTP_GET,              "/client/v1/media/download/{}/{}"},
    {HTTP_GET,              "/client/v1/media/download/{}/{}/{}"},
    {HTTP_GET,              "/client/v1/media/thumbnail/{}/{}"},
};
/* clang-format on */

bool guest_may(const struct req *req)
{
    struct str path = str_of(req->route->path);
    for (size_t i = 0; i < COUNT_OF(open_rows); i++) {
        if ((open_rows[i].methods & (unsigned)req->head->method) != 0 &&
            str_eq(path, str_of(open_rows[i].path))) {
            return true;
        }
    }
    return false;
}
