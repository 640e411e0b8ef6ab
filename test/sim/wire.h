/* The relay and the websockets to it: the real relay's machine, links with latency that break. */
#ifndef TEST_SIM_WIRE_H
#define TEST_SIM_WIRE_H

#include "test/sim/world.h"

struct wire;
struct station;

struct wire *wire_new(struct world *world);
void wire_free(struct wire *wire);

/* Effects of a node's instance; `incarnation` tells instances of one node apart. */
void wire_dial(struct wire *wire, struct station *node, uint64_t incarnation, uint64_t link,
               struct str url);
void wire_send(struct wire *wire, struct station *node, uint64_t incarnation, uint64_t link,
               struct str message, bool is_text);
void wire_close(struct wire *wire, struct station *node, uint64_t incarnation, uint64_t link);
/* The instance is gone, and its sockets with it. */
void wire_node_gone(struct wire *wire, struct station *node);

#endif
