/* A homeserver: the real core, a disk that forgets, an outside that can go away at any moment. */
#ifndef TEST_SIM_STATION_H
#define TEST_SIM_STATION_H

#include "test/sim/world.h"

struct station;

/* The end of a request: status 0 is a broken connection. body is borrowed. */
typedef void (*station_answer_fn)(void *ctx, int status, struct str body);

struct station *station_new(struct world *world, size_t index, struct str relay);
void station_free(struct station *node);

/* Takes a copy of head and body to the node in a little while; fn is called once. */
void station_request(struct station *node, struct str head, struct str body, station_answer_fn fn,
                     void *ctx);

/* Known once it was up for the first time. */
struct str station_server_name(const struct station *node);

/* From the wire. The incarnation is that of the node when the link was dialled. */
void station_link_up(struct station *node, uint64_t incarnation, uint64_t link);
void station_link_message(struct station *node, uint64_t incarnation, uint64_t link,
                          struct str message, bool is_text);
void station_link_room(struct station *node, uint64_t incarnation, uint64_t link, size_t room);
void station_link_down(struct station *node, uint64_t incarnation, uint64_t link, struct str why);

#endif
