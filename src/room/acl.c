/* Names against patterns. */
#include "room/acl.h"

#include "base/glob.h"

#include <string.h>

/* The name without its port. */
static struct str host_of(struct str server)
{
    size_t end;
    if (server.n > 0 && server.p[0] == '[') {
        return str_find(server, ']', &end) ? str_sub(server, 0, end + 1) : server;
    }
    return str_find(server, ':', &end) ? str_sub(server, 0, end) : server;
}

static bool is_ip_literal(struct str host)
{
    bool is = host.n > 0;
    for (size_t i = 0; i < host.n && host.p[0] != '['; i++) {
        is = is && strchr("0123456789.", host.p[i]) != NULL && host.p[i] != 0;
    }
    return is;
}

static bool has(const struct json *list, struct str host)
{
    bool found = false;
    for (const struct json *x = json_first(list); x != NULL && !found; x = json_next(x)) {
        struct str pattern = json_text(x);
        found = !str_is_absent(pattern) && glob_fits(pattern, host);
    }
    return found;
}

bool acl_allows(const struct json *content, struct str server)
{
    struct str host = host_of(server);
    if (content == NULL) {
        return true;
    }
    if (is_ip_literal(host) && !json_get_bool(content, "allow_ip_literals", true)) {
        return false;
    }
    return !has(json_get_array(content, "deny"), host) &&
           has(json_get_array(content, "allow"), host);
}
