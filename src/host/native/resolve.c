/* The steps of resolving, in the specification's order and with its numbers. */
#include "host/native/resolve.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    KEEP_MIN_S = 5 * 60,
    KEEP_DEFAULT_S = 24 * 60 * 60,
    KEEP_MAX_S = 48 * 60 * 60,
    DIGITS_MAX = 15, /* of a number of seconds that is looked at */
};

struct parts {
    char host[RESOLVE_NAME_MAX]; /* without brackets */
    bool is_address, has_port;
    uint16_t port;
};

static void copy(char out[RESOLVE_NAME_MAX], struct str text)
{
    assert(text.n < RESOLVE_NAME_MAX);
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
}

/* One that starts with a dot would stand for every name below it where certificates are checked. */
static bool is_name(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '-' && c != '.') {
            return false;
        }
    }
    return host.n > 0 && host.p[0] != '.';
}

static bool port_take(struct parts *out, struct str text)
{
    int64_t port;
    if (str_is_absent(text)) {
        return true;
    }
    out->has_port = text.n <= 5 && str_to_i64(text, &port) && port > 0 && port <= 65535;
    out->port = out->has_port ? (uint16_t)port : 0;
    return out->has_port;
}

/* "host", "host:port", "1.2.3.4", "[::1]:port" (appendices, "Server name"). */
static bool split(struct str name, struct parts *out)
{
    struct str host = name, port = STR_ABSENT;
    struct in6_addr scratch;
    size_t end;
    memset(out, 0, sizeof(*out));
    if (name.n == 0 || name.n >= RESOLVE_NAME_MAX) {
        return false;
    }
    if (name.p[0] == '[') {
        if (!str_find(name, ']', &end)) {
            return false;
        }
        struct str rest = str_from(name, end + 1);
        copy(out->host, str_sub(name, 1, end - 1));
        out->is_address = true;
        if (rest.n > 0 && rest.p[0] != ':') {
            return false;
        }
        return inet_pton(AF_INET6, out->host, &scratch) == 1 &&
               port_take(out, rest.n > 0 ? str_from(rest, 1) : STR_ABSENT);
    }
    str_cut(name, ':', &host, &port);
    copy(out->host, host);
    out->is_address = inet_pton(AF_INET, out->host, &scratch) == 1;
    return is_name(host) && port_take(out, port);
}

/* One target, at host and port, that proves to be `name`. */
static void done(struct resolve *r, const struct parts *parts, const char *host, uint16_t port)
{
    struct target *t = &r->targets[r->n_targets++];
    memset(t, 0, sizeof(*t));
    copy(t->host, str_of(host));
    t->port = port;
    copy(t->authority, str_of(r->name));
    copy(t->identity, str_of(parts->host));
    t->is_address = parts->is_address;
    r->step = RESOLVE_DONE;
}

static void ask_srv(struct resolve *r, const char *host)
{
    const char *service = r->is_old_service ? "_matrix._tcp." : "_matrix-fed._tcp.";
    int n = snprintf(r->ask, sizeof(r->ask), "%s%s", service, host);
    r->step = n < (int)sizeof(r->ask) ? RESOLVE_SRV : RESOLVE_FAILED;
}

/* Steps 1, 2 (3.1, 3.2 when delegated), and which one is next. */
static void consider(struct resolve *r, struct str name)
{
    struct parts parts;
    r->step = RESOLVE_FAILED;
    if (!split(name, &parts)) {
        return;
    }
    copy(r->name, name);
    if (parts.is_address || parts.has_port) {
        done(r, &parts, parts.host, parts.has_port ? parts.port : RESOLVE_FEDERATION_PORT);
    } else if (r->is_delegated) {
        ask_srv(r, parts.host);
    } else {
        copy(r->ask, str_of(parts.host));
        r->step = RESOLVE_WELL_KNOWN;
    }
}

void resolve_begin(struct resolve *r, struct str server_name)
{
    memset(r, 0, sizeof(*r));
    consider(r, server_name);
}

void resolve_take_well_known(struct resolve *r, struct str delegated)
{
    assert(r->step == RESOLVE_WELL_KNOWN);
    struct parts parts;
    if (!str_is_absent(delegated) && split(delegated, &parts)) { /* step 3 */
        r->is_delegated = true;
        consider(r, delegated);
    } else { /* step 4 */
        ask_srv(r, r->name);
    }
}

static bool is_better(const struct resolve_srv *a, const struct resolve_srv *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->weight > b->weight;
}

void resolve_take_srv(struct resolve *r, const struct resolve_srv *records, size_t n)
{
    assert(r->step == RESOLVE_SRV);
    bool is_taken[64] = {0};
    struct parts parts;
    n = n < COUNT_OF(is_taken) ? n : COUNT_OF(is_taken);
    (void)split(str_of(r->name), &parts);
    for (size_t k = 0; k < RESOLVE_TARGETS_MAX; k++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            bool is_usable = !is_taken[i] && records[i].port != 0 &&
                             strlen(records[i].host) < RESOLVE_NAME_MAX &&
                             is_name(str_of(records[i].host));
            if (is_usable && (best == n || is_better(&records[i], &records[best]))) {
                best = i;
            }
        }
        if (best == n) {
            break;
        }
        is_taken[best] = true;
        done(r, &parts, records[best].host, records[best].port); /* steps 3.3, 3.4, 4, 5 */
    }
    if (r->n_targets == 0 && !r->is_old_service) {
        r->is_old_service = true;
        ask_srv(r, r->name);
    } else if (r->n_targets == 0) { /* steps 3.5, 6 */
        done(r, &parts, parts.host, RESOLVE_FEDERATION_PORT);
    }
}

struct str resolve_well_known_read(struct arena *a, struct str body)
{
    struct json *json;
    struct parts parts;
    if (json_parse(a, body, &json, NULL) != ERR_NONE) {
        return STR_ABSENT;
    }
    struct str name = json_get_text(json, "m.server");
    return !str_is_absent(name) && split(name, &parts) ? name : STR_ABSENT;
}

static int64_t max_age_s(const struct http_head *head)
{
    struct str rest = http_header(head, STR("cache-control")), item, key, value;
    while (!str_is_absent(rest)) {
        if (!str_cut(rest, ',', &item, &rest)) {
            item = rest;
            rest = STR_ABSENT;
        }
        int64_t seconds;
        item = str_trim(item);
        if (str_eq_nocase(item, STR("no-cache")) || str_eq_nocase(item, STR("no-store"))) {
            return 0;
        }
        if (str_cut(item, '=', &key, &value) && str_eq_nocase(key, STR("max-age")) &&
            value.n <= DIGITS_MAX && str_to_i64(value, &seconds)) {
            return seconds;
        }
    }
    return KEEP_DEFAULT_S;
}

int64_t resolve_well_known_ms(const struct http_head *head)
{
    int64_t seconds = max_age_s(head);
    seconds = seconds < KEEP_MIN_S ? KEEP_MIN_S : seconds;
    return (seconds > KEEP_MAX_S ? KEEP_MAX_S : seconds) * 1000;
}
