/* The facts of the status page, a table of their names, and the exposition format. */
#include "client/metrics.h"

#include "client/status.h"

enum unit {
    UNIT_ONE,
    UNIT_MS,   /* written in seconds */
    UNIT_BOOL, /* 0 or 1 */
};

struct metric {
    const char *name, *type, *help, *fact;
    enum unit unit;
};

/* clang-format off */
static const struct metric metrics[] = {
    { "neurite_uptime_seconds",  "gauge",   "how long this instance has run",        "uptime_ms",      UNIT_MS   },
    { "neurite_database_bytes",  "gauge",   "size of the database",                  "database_bytes", UNIT_ONE  },
    { "neurite_accounts",        "gauge",   "accounts of this homeserver",           "accounts",       UNIT_ONE  },
    { "neurite_parked_requests", "gauge",   "requests that wait, long polls too",    "parked",         UNIT_ONE  },
    { "neurite_stream_position", "counter", "what clients could be told so far",     "position",       UNIT_ONE  },
    { "neurite_read_only",       "gauge",   "1 while the storage is full",           "read_only",      UNIT_BOOL },
};
/* clang-format on */

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_add_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* {name="value"}, escaped as the format has it. */
static void label(struct buf *out, const char *name, struct str value)
{
    buf_add_fmt(out, "{%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\\' || c == '"') {
            buf_add_char(out, '\\');
        }
        if (c == '\n') {
            buf_add(out, STR("\\n"));
        } else {
            buf_add_char(out, c);
        }
    }
    buf_add(out, STR("\"}"));
}

static void number(struct buf *out, int64_t value, enum unit unit)
{
    if (unit == UNIT_MS) {
        buf_add_fmt(out, " %lld.%03d\n", (long long)(value / 1000), (int)(value % 1000));
    } else {
        buf_add_fmt(out, " %lld\n", (long long)value);
    }
}

static void put_relays(struct buf *out, const struct json *facts)
{
    head(out, "neurite_relay_up", "gauge", "1 while the relay has let us join");
    for (const struct json *relay = json_first(json_get_array(facts, "relays")); relay != NULL;
         relay = json_next(relay)) {
        buf_add(out, STR("neurite_relay_up"));
        label(out, "url", json_get_text(relay, "url"));
        number(out, str_eq(json_get_text(relay, "state"), STR("joined")), UNIT_ONE);
    }
}

static void put_peers(struct buf *out, const struct json *facts)
{
    const struct json *peers = json_get_array(facts, "peers");
    int64_t connected = 0;
    head(out, "neurite_peer_rtt_seconds", "gauge", "round trip to a peer, where it is known");
    for (const struct json *peer = json_first(peers); peer != NULL; peer = json_next(peer)) {
        int64_t rtt_ms = json_get_int(peer, "rtt_ms", -1);
        connected += json_get_bool(peer, "connected", false);
        if (rtt_ms >= 0) {
            buf_add(out, STR("neurite_peer_rtt_seconds"));
            label(out, "peer", json_get_text(peer, "id"));
            number(out, rtt_ms, UNIT_MS);
        }
    }
    head(out, "neurite_peers", "gauge", "peers seen by the relays");
    buf_add(out, STR("neurite_peers"));
    number(out, (int64_t)json_count(peers), UNIT_ONE);
    head(out, "neurite_peers_connected", "gauge", "peers with a connection");
    buf_add(out, STR("neurite_peers_connected"));
    number(out, connected, UNIT_ONE);
}

static void put_outbox(struct buf *out, const struct json *facts)
{
    head(out, "neurite_outbox", "gauge", "what waits for a destination");
    for (const struct json *depth = json_first(json_get_object(facts, "outbox")); depth != NULL;
         depth = json_next(depth)) {
        int64_t n = 0;
        (void)json_int(depth, &n);
        buf_add(out, STR("neurite_outbox"));
        label(out, "destination", json_key(depth));
        number(out, n, UNIT_ONE);
    }
}

enum err metrics_get(struct hs *hs, struct req *req)
{
    struct json *facts;
    struct buf out;
    TRY(status_facts(hs, req->a, &facts));
    buf_init_in(&out, req->a, HTTP_ANSWER_MAX);
    head(&out, "neurite_build_info", "gauge", "which build this is");
    buf_add(&out, STR("neurite_build_info"));
    label(&out, "build", json_get_text(facts, "build"));
    number(&out, 1, UNIT_ONE);
    for (size_t i = 0; i < COUNT_OF(metrics); i++) {
        const struct metric *m = &metrics[i];
        head(&out, m->name, m->type, m->help);
        buf_add(&out, str_of(m->name));
        number(&out,
               m->unit == UNIT_BOOL ? json_get_bool(facts, m->fact, false)
                                    : json_get_int(facts, m->fact, 0),
               m->unit);
    }
    put_relays(&out, facts);
    put_peers(&out, facts);
    put_outbox(&out, facts);
    req->reply.status = 200;
    req->reply.text = buf_str(&out);
    req->reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return ERR_NONE;
}
