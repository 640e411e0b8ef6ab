/* A homeserver: the real core, a disk that forgets, an outside that can go away at any moment. */
#ifndef TEST_SIM_NODE_H
#define TEST_SIM_NODE_H

#include "test/sim/world.h"

struct node;

/* The end of a request: status 0 is a broken connection. body is borrowed. */
typedef void (*node_answer_fn)(void *ctx, int status, struct str body);

struct node *node_new(struct world *world, size_t index, struct str relay);
void node_free(struct node *node);

/* Takes a copy of head and body to the node in a little while; fn is called once. */
void node_request(struct node *node, struct str head, struct str body, node_answer_fn fn,
                  void *ctx);

/* Known once it was up for the first time. */
struct str node_server_name(const struct node *node);

/* From the wire. The incarnation is that of the node when the link was dialled. */
void node_link_up(struct node *node, uint64_t incarnation, uint64_t link);
void node_link_message(struct node *node, uint64_t incarnation, uint64_t link, struct str message,
                       bool is_text);
void node_link_room(struct node *node, uint64_t incarnation, uint64_t link, size_t room);
void node_link_down(struct node *node, uint64_t incarnation, uint64_t link, struct str why);

#endif
