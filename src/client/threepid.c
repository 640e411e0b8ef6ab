/* No e-mail address or phone number is kept: a peer can send neither mail nor text messages. */
#include "client/threepid.h"

enum err threepids_get(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    (void)hs;
    (void)json_put_array(out, STR("threepids"));
    return reply_json(req, out);
}

enum err threepid_deny(struct hs *hs, struct req *req)
{
    (void)hs;
    return reply_error(req, 403, "M_THREEPID_DENIED",
                       "this homeserver keeps no e-mail addresses and no phone numbers");
}

enum err threepid_drop_post(struct hs *hs, struct req *req)
{
    struct json *out = json_object(req->a);
    (void)hs;
    json_put_text(out, "id_server_unbind_result", STR("success"));
    return reply_json(req, out);
}
