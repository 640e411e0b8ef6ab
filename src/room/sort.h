/* Reverse topological power ordering, for resolve_v2.c. */
#ifndef ROOM_SORT_H
#define ROOM_SORT_H

#include "room/conflict.h"

/* nodes[i].k->index == i, and k->in_graph for these only. */
struct sort_node {
    struct known *k;
    int64_t power;  /* of the sender */
    size_t n_waits; /* cited events not yet in the order; sort.c's */
};

/* The lexicographically smallest order in which each event comes after those of the graph that it
 * cites: more power first, then the older, then the smaller id. *n nodes go in; fewer come out only
 * if ids that are no hashes go round in a circle. *n says how many are in the order. */
struct known **sort_power(struct arena *a, struct sort_node *nodes, size_t *n);

#endif
