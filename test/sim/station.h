/* A homeserver: the real core, a disk that forgets, an outside that can go away at any moment. */
#ifndef TEST_SIM_STATION_H
#define TEST_SIM_STATION_H

#include "test/sim/wire.h"

struct station;

/* The end of a request: status 0 is a broken connection. body is borrowed. */
typedef void (*station_answer_fn)(void *ctx, int status, struct str body);

/* relays: how many of the wire's it knows. */
struct station *station_new(struct world *world, size_t index, size_t relays);
void station_free(struct station *node);

/* Takes a copy of head and body to the node in a little while; fn is called once. */
void station_request(struct station *node, struct str head, struct str body, station_answer_fn fn,
                     void *ctx);

/* Known once it was up for the first time. */
struct str station_server_name(const struct station *node);

const struct endpoint *station_endpoint(const struct station *node);

/* Faults: the wall clock jumps; the disk takes nothing more until then; all of it is well again. */
void station_clock_jump(struct station *node, int64_t by_ms);
void station_disk_full(struct station *node, int64_t end_ms);
void station_heal(struct station *node);

/* The longest that a request has been open, and when it came; -1: none is. */
int64_t station_oldest_request_ms(const struct station *node);

#endif
