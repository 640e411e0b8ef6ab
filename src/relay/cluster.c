/* Sites: who of them is there, and which addresses they have. */
#include "relay/cluster.h"

#include "base/encode.h"
#include "relay/site.h"

#include <string.h>

enum {
    ROSTER_PART_SIZE = 512 * 1024, /* bytes of addresses in one message */
    MESSAGE_MAX = 1024 * 1024,     /* what NATS carries unless told otherwise */
    ASK_AGAIN_MS = 1000,
};

struct str cluster_id(const struct cluster *cluster)
{
    return str_make(cluster->config.id, SITE_ID_SIZE);
}

/* --- saying --------------------------------------------------------------------------------- */

static void publish(struct cluster *cluster, struct str site, struct bus_message *message)
{
    message->site = cluster_id(cluster);
    buf_clear(&cluster->out);
    bus_write(&cluster->out, message);
    if (!cluster->out.overflow) {
        cluster->config.publish(cluster->config.arg, site, buf_str(&cluster->out));
    }
}

static void say_all(struct cluster *cluster, enum bus_word word, struct str rest)
{
    struct bus_message message = {.word = word, .number = cluster->revision, .rest = rest};
    publish(cluster, STR_ABSENT, &message);
}

void site_say(struct site *site, struct bus_message message)
{
    site->said++;
    message.sequence = site->said;
    publish(site->cluster, str_make(site->id, SITE_ID_SIZE), &message);
}

static void add_peer(struct buf *out, struct str address, int64_t stamp)
{
    varint_write(out, (uint64_t)stamp);
    bus_add_text(out, address);
}

/* relay_cluster.moved */
static void say_moved(void *arg, struct str address, int64_t stamp, bool is_here)
{
    struct cluster *cluster = arg;
    struct buf peer;
    buf_init(&peer, MESSAGE_MAX);
    add_peer(&peer, address, is_here ? stamp : 0);
    cluster->revision++;
    say_all(cluster, BUS_PEERS, buf_str(&peer));
    buf_release(&peer);
}

struct roster {
    struct site *site;
    struct buf part;
    uint64_t flags;
};

static void say_part(struct roster *roster, uint64_t last)
{
    site_say(roster->site, (struct bus_message){.word = BUS_ROSTER,
                                                .number = roster->site->cluster->revision,
                                                .flags = roster->flags | last,
                                                .rest = buf_str(&roster->part)});
    buf_clear(&roster->part);
    roster->flags = 0;
}

static void roster_add(void *arg, struct str address, int64_t stamp)
{
    struct roster *roster = arg;
    add_peer(&roster->part, address, stamp);
    if (roster->part.n >= ROSTER_PART_SIZE) {
        say_part(roster, 0);
    }
}

static void say_roster(struct site *site)
{
    struct roster roster = {.site = site, .flags = BUS_FIRST};
    buf_init(&roster.part, MESSAGE_MAX);
    remote_each_here(site->cluster->relay, roster_add, &roster);
    say_part(&roster, BUS_LAST);
    buf_release(&roster.part);
}

/* --- sites ---------------------------------------------------------------------------------- */

static struct site *site_new(struct cluster *cluster, struct now now, struct str id)
{
    if (map_count(&cluster->sites) >= CLUSTER_SITES_MAX) {
        return NULL;
    }
    struct site *site = base_alloc(sizeof(*site));
    site->cluster = cluster;
    memcpy(site->id, id.p, SITE_ID_SIZE);
    site->conn = remote_open(cluster->relay, now, site);
    site->asked_ms = now.mono_ms - ASK_AGAIN_MS;
    map_init(&site->calls);
    map_put(&cluster->sites, str_make(site->id, SITE_ID_SIZE), site);
    return site;
}

static void site_free(struct site *site, struct now now)
{
    struct cluster *cluster = site->cluster;
    call_end_all(site, now);
    relay_gone(cluster->relay, now, site->conn);
    (void)map_remove(&cluster->sites, str_make(site->id, SITE_ID_SIZE));
    map_release(&site->calls);
    base_free(site);
}

/* What it said last is not what we know. */
static void ask(struct site *site, struct now now)
{
    site->is_known = false;
    if (site->asked_ms + ASK_AGAIN_MS <= now.mono_ms) {
        site->asked_ms = now.mono_ms;
        site_say(site, (struct bus_message){.word = BUS_ASK});
    }
}

/* --- hearing -------------------------------------------------------------------------------- */

static void take_peers(struct site *site, struct now now, struct str rest)
{
    struct relay *relay = site->cluster->relay;
    struct str address;
    uint64_t stamp;
    while (bus_take_number(&rest, &stamp) == ERR_NONE &&
           bus_take_text(&rest, &address) == ERR_NONE) {
        if (stamp == 0) {
            remote_leave(relay, site->conn, address);
        } else {
            remote_join(relay, now, site->conn, address, (int64_t)stamp);
        }
    }
}

static void hear_peers(struct site *site, struct now now, const struct bus_message *message)
{
    if (site->is_known && message->number <= site->revision) {
        return; /* the roster had it */
    }
    if (site->is_known && message->number == site->revision + 1) {
        site->revision = message->number;
        take_peers(site, now, message->rest);
    } else {
        ask(site, now);
    }
}

static void hear_roster(struct site *site, struct now now, const struct bus_message *message)
{
    if ((message->flags & BUS_FIRST) != 0) {
        remote_unmark(site->conn);
        site->is_listing = true;
    }
    if (!site->is_listing) {
        return; /* the rest of one that is not whole: it is asked for again */
    }
    take_peers(site, now, message->rest);
    if ((message->flags & BUS_LAST) != 0) {
        remote_sweep(site->cluster->relay, site->conn);
        site->revision = message->number;
        site->is_known = true;
        site->is_listing = false;
    }
}

static void hear_hello(struct site *site, struct now now, const struct bus_message *message)
{
    if (!site->is_known || message->number != site->revision) {
        ask(site, now);
    }
}

static void hear_bye(struct site *site, struct now now, const struct bus_message *message)
{
    (void)message;
    site_free(site, now);
}

static void hear_ask(struct site *site, struct now now, const struct bus_message *message)
{
    (void)message;
    say_roster(site);
    if (!site->is_known) {
        ask(site, now);
    }
}

static void hear_cut(struct site *site, struct now now, const struct bus_message *message)
{
    (void)message;
    call_end_all(site, now);
}

/* What follows from a word. Those for us alone are counted. */
static const struct word {
    void (*hear)(struct site *site, struct now now, const struct bus_message *message);
    bool is_counted;
} words[BUS_WORDS] = {
    [BUS_HELLO] = {hear_hello, false},  [BUS_BYE] = {hear_bye, false},
    [BUS_PEERS] = {hear_peers, false},  [BUS_ASK] = {hear_ask, true},
    [BUS_ROSTER] = {hear_roster, true}, [BUS_DIAL] = {call_hear, true},
    [BUS_FRAME] = {call_hear, true},    [BUS_GRANT] = {call_hear, true},
    [BUS_END] = {call_hear, true},      [BUS_CUT] = {hear_cut, true},
};

/* A gap before a counted word means that others are lost. */
static void check_gap(struct site *site, struct now now, uint64_t sequence)
{
    bool is_gap = site->heard != 0 && sequence != site->heard + 1;
    site->heard = sequence;
    if (is_gap) {
        site->is_listing = false;
        call_end_all(site, now);
        site_say(site, (struct bus_message){.word = BUS_CUT});
    }
}

void cluster_hear(struct cluster *cluster, struct now now, struct str bytes)
{
    struct bus_message message;
    if (bus_read(bytes, &message) != ERR_NONE || str_eq(message.site, cluster_id(cluster))) {
        return;
    }
    const struct word *word = &words[message.word];
    struct site *site = map_get(&cluster->sites, message.site);
    if (site == NULL && message.word != BUS_BYE) {
        site = site_new(cluster, now, message.site);
    }
    if (site == NULL) {
        return;
    }
    site->heard_ms = now.mono_ms;
    if (word->is_counted) {
        check_gap(site, now, message.sequence);
    }
    word->hear(site, now, &message);
}

/* relay_cluster.count */
static void count(const void *arg, struct metrics *metrics)
{
    const struct cluster *cluster = arg;
    metrics_set(metrics, METRIC_SITES, cluster_sites(cluster));
    metrics_set(metrics, METRIC_CALLS, cluster_calls(cluster));
}

/* --- the whole ------------------------------------------------------------------------------ */

struct cluster *cluster_new(const struct cluster_config *config, struct relay_config *relay_config)
{
    struct cluster *cluster = base_alloc(sizeof(*cluster));
    uint16_t salt;
    cluster->config = *config;
    map_init(&cluster->sites);
    buf_init(&cluster->out, MESSAGE_MAX);
    memcpy(&salt, config->id, sizeof(salt));
    relay_config->cluster = (struct relay_cluster){
        .moved = say_moved, .ring = call_ring, .count = count, .arg = cluster, .salt = salt};
    return cluster;
}

void cluster_start(struct cluster *cluster, struct now now, struct relay *relay)
{
    cluster->relay = relay;
    cluster->hello_ms = now.mono_ms;
    say_all(cluster, BUS_HELLO, STR(""));
}

static void sites_end(struct cluster *cluster, struct now now)
{
    for (struct map_entry *e = map_next(&cluster->sites, NULL); e != NULL;
         e = map_next(&cluster->sites, e)) {
        site_free(e->value, now);
    }
}

void cluster_end(struct cluster *cluster, struct now now)
{
    say_all(cluster, BUS_BYE, STR(""));
    sites_end(cluster, now);
}

void cluster_free(struct cluster *cluster)
{
    assert(map_count(&cluster->sites) == 0);
    map_release(&cluster->sites);
    buf_release(&cluster->out);
    base_free(cluster);
}

void cluster_lost(struct cluster *cluster, struct now now)
{
    for (struct map_entry *e = map_next(&cluster->sites, NULL); e != NULL;
         e = map_next(&cluster->sites, e)) {
        call_end_all(e->value, now);
        site_say(e->value, (struct bus_message){.word = BUS_CUT});
    }
}

void cluster_settle(struct now now, struct conn *conn)
{
    const struct remote *remote = conn_socket(conn);
    if (remote->is_call) {
        call_settle(conn_socket(conn), now);
    }
}

void cluster_tick(struct cluster *cluster, struct now now)
{
    if (cluster->hello_ms + CLUSTER_HELLO_MS <= now.mono_ms) {
        cluster->hello_ms = now.mono_ms;
        say_all(cluster, BUS_HELLO, STR(""));
    }
    for (struct map_entry *e = map_next(&cluster->sites, NULL); e != NULL;
         e = map_next(&cluster->sites, e)) {
        struct site *site = e->value;
        if (site->heard_ms + CLUSTER_SILENT_MS <= now.mono_ms) {
            site_free(site, now);
        }
    }
}

size_t cluster_sites(const struct cluster *cluster)
{
    return map_count(&cluster->sites);
}

size_t cluster_calls(const struct cluster *cluster)
{
    return cluster->n_calls;
}
