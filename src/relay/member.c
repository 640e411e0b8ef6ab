/* The relay as one of a cluster: cluster.c decides, carrier.c carries. Without --cluster there is
 * neither. */
#include "relay/host.h"

static void publish(void *arg, struct str site, struct str bytes)
{
    const struct server *server = arg;
    if (server->carrier != NULL) {
        carrier_publish(server->carrier, site, bytes);
    }
}

/* On the carrier's thread: lws_cancel_service is the one call that may come from there. */
static void wake(void *arg)
{
    const struct server *server = arg;
    lws_cancel_service(server->context);
}

static void hear(void *arg, struct str bytes)
{
    struct server *server = arg;
    cluster_hear(server->cluster, now_get(), bytes);
    settle(server);
}

static void lost(void *arg)
{
    struct server *server = arg;
    cluster_lost(server->cluster, now_get());
    settle(server);
}

void member_prepare(struct server *server, struct relay_config *config)
{
    if (server->options->cluster != NULL) {
        struct cluster_config cluster = {.publish = publish, .arg = server};
        config->random(config->random_arg, cluster.id, sizeof(cluster.id));
        server->cluster = cluster_new(&cluster, config);
    }
}

bool member_start(struct server *server)
{
    if (server->cluster == NULL) {
        return true;
    }
    struct carrier_calls calls = {wake, hear, lost, server};
    server->carrier = carrier_open(server->options->cluster, cluster_id(server->cluster), &calls);
    cluster_start(server->cluster, now_get(), server->relay);
    return server->carrier != NULL;
}

void member_deliver(struct server *server)
{
    if (server->carrier != NULL) {
        carrier_deliver(server->carrier);
    }
}

void member_end(struct server *server)
{
    if (server->cluster != NULL) {
        cluster_end(server->cluster, now_get());
        settle(server);
    }
    if (server->carrier != NULL) {
        carrier_close(server->carrier);
        server->carrier = NULL;
    }
}

void member_free(struct server *server)
{
    if (server->cluster != NULL) {
        cluster_free(server->cluster);
    }
}
