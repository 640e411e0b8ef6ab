/* What the settings say, and 404 for what they do not. */
#include "client/discovery.h"

static enum err nothing_told(struct req *req)
{
    return reply_not_found(req, "this homeserver was not told what to say here");
}

static enum err server_get(struct hs *hs, struct req *req)
{
    if (str_is_empty(hs->settings.well_known_server)) {
        return nothing_told(req);
    }
    struct json *out = json_object(req->a);
    json_put_text(out, "m.server", hs->settings.well_known_server);
    return reply_json(req, out);
}

static enum err client_get(struct hs *hs, struct req *req)
{
    if (str_is_empty(hs->settings.well_known_client)) {
        return nothing_told(req);
    }
    struct json *out = json_object(req->a);
    struct json *homeserver = json_put_object(out, STR("m.homeserver"));
    json_put_text(homeserver, "base_url", hs->settings.well_known_client);
    return reply_json(req, out);
}

/* clang-format off */
const struct route discovery_routes[] = {
    {HTTP_GET, "/.well-known/matrix/server", WHO_ANYONE, RATE_OTHER, server_get, NULL},
    {HTTP_GET, "/.well-known/matrix/client", WHO_ANYONE, RATE_OTHER, client_get, NULL},
    {0, NULL, WHO_ANYONE, RATE_OTHER, NULL, NULL},
};
/* clang-format on */
