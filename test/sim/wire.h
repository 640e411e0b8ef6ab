/* The relays and the websockets to them: the real relay's machine, links with latency that break,
 * stand still, and are parted for a while. */
#ifndef TEST_SIM_WIRE_H
#define TEST_SIM_WIRE_H

#include "test/sim/world.h"

struct wire;

#define WIRE_RELAYS_MAX 2

/* Who holds websockets. `incarnation` tells instances of one node apart. */
struct endpoint {
    size_t index; /* of the node; WORLD_NODES_MAX: the hostile peer */
    void *ctx;
    void (*up)(void *ctx, uint64_t incarnation, uint64_t link);
    void (*message)(void *ctx, uint64_t incarnation, uint64_t link, struct str message,
                    bool is_text);
    void (*room)(void *ctx, uint64_t incarnation, uint64_t link, size_t room);
    void (*down)(void *ctx, uint64_t incarnation, uint64_t link, struct str why);
};

struct wire *wire_new(struct world *world, size_t relays);
void wire_free(struct wire *wire);

size_t wire_relays(const struct wire *wire);
struct str wire_relay_url(size_t relay);

/* Effects of a node's instance. */
void wire_dial(struct wire *wire, const struct endpoint *node, uint64_t incarnation, uint64_t link,
               struct str url);
void wire_send(struct wire *wire, const struct endpoint *node, uint64_t incarnation, uint64_t link,
               struct str message, bool is_text);
void wire_close(struct wire *wire, const struct endpoint *node, uint64_t incarnation,
                uint64_t link);
/* The instance is gone, and its sockets with it. */
void wire_node_gone(struct wire *wire, const struct endpoint *node);

/* Nothing passes between the two until then; what is sent meanwhile arrives afterwards. */
void wire_part(struct wire *wire, const struct endpoint *node, size_t relay, int64_t end_ms);
/* All connections are gone, and none is taken until then. */
void wire_relay_restart(struct wire *wire, size_t relay, int64_t end_ms);
void wire_heal(struct wire *wire);

#endif
