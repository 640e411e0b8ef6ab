/* Versions and capabilities. Lists of things that cannot exist here are empty, truthfully. */
#include "client/server.h"

#include "base/encode.h"
#include "engine/policy_key.h"
#include "event/version.h"

enum err versions_get(struct hs *hs, struct req *req)
{
    static const char *const versions[] = {"r0.5.0", "r0.6.0", "r0.6.1", "v1.1", "v1.2",
                                           "v1.3",   "v1.4",   "v1.5",   "v1.6", "v1.7",
                                           "v1.8",   "v1.9",   "v1.10",  "v1.11"};
    (void)hs;
    struct json *out = json_object(req->a);
    struct json *list = json_put_array(out, STR("versions"));
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        json_push_text(list, str_of(versions[i]));
    }
    struct json *unstable = json_put_object(out, STR("unstable_features"));
    json_put_bool(unstable, "org.matrix.e2e_cross_signing", false);
    return reply_json(req, out);
}

static void put_enabled(struct json *capabilities, const char *name, bool enabled)
{
    json_put_bool(json_put_object(capabilities, str_of(name)), "enabled", enabled);
}

enum err policy_server_get(struct hs *hs, struct req *req)
{
    struct sign_key key;
    policy_key(hs, &key);
    struct json *out = json_object(req->a);
    json_put_text(json_put_object(out, STR("public_keys")), "ed25519",
                  base64_write(req->a, str_make(key.public_key, sizeof(key.public_key))));
    return reply_json(req, out);
}

enum err capabilities_get(struct hs *hs, struct req *req)
{
    (void)hs;
    struct json *out = json_object(req->a);
    struct json *capabilities = json_put_object(out, STR("capabilities"));
    struct json *versions = json_put_object(capabilities, STR("m.room_versions"));
    json_put_text(versions, "default", room_version_default()->name);
    struct json *available = json_put_object(versions, STR("available"));
    for (size_t i = 0; room_version_at(i) != NULL; i++) {
        json_put_text(available, room_version_at(i)->name.p, STR("stable"));
    }
    put_enabled(capabilities, "m.change_password", true);
    put_enabled(capabilities, "m.set_displayname", true);
    put_enabled(capabilities, "m.set_avatar_url", true);
    put_enabled(capabilities, "m.profile_fields", true);
    put_enabled(capabilities, "m.3pid_changes", false);
    put_enabled(capabilities, "m.get_login_token", true);
    return reply_json(req, out);
}

enum err turn_server_get(struct hs *hs, struct req *req)
{
    (void)hs;
    return reply_empty(req);
}

enum err protocols_get(struct hs *hs, struct req *req)
{
    (void)hs;
    return reply_empty(req);
}
