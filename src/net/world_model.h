/* A world for tests: stacks joined by the relay model, in one thread, with an own clock. */
#ifndef NET_WORLD_MODEL_H
#define NET_WORLD_MODEL_H

#include "net/link.h"
#include "net/relay_model.h"

enum { HOSTS = 3, QUEUE_MAX = 100000, CALLS_MAX = 512 };

struct world;

struct host {
    struct world *world;
    int index;
    struct net *net;
    uint64_t link; /* the open websocket; 0: none */
    int client;    /* of the model */
    struct now now;
    struct rng rng;
    /* what happened */
    int seen, gone, requests, good, bad, dials, closes;
    int status[CALLS_MAX];
    char why[CALLS_MAX][96];
    struct buf body; /* of the last answer */
    bool answers_late, is_offline;
    uint64_t late[CALLS_MAX];
    int n_late;
    size_t room_used;
    bool limits_room;
    uint64_t must_call; /* from within the answer callback */
};

struct message {
    int to; /* host */
    uint64_t link;
    int from_client; /* >= 0: to the relay */
    struct buf bytes;
    bool is_text;
};

struct world {
    struct model model;
    struct host hosts[HOSTS];
    struct message *queue;
    size_t first, last;
    struct rng rng;
    int64_t ms;
    bool flips;   /* the next long binary message to a host is damaged */
    uint64_t sum; /* of all bytes that went by, in order */
};

struct world *world_new(int hosts); /* peers 0 .. hosts-1, nothing dialled yet */
void world_free(struct world *w);
/* Runs until nothing is under way and nothing is due before `until`. */
void world_run(struct world *w, int64_t until);
/* Delivers one message; false: there is none. */
bool world_step(struct world *w);
/* what: "PUT /echo" */
void world_call(struct world *w, int from, int to, uint64_t id, const char *what, struct str body);
void world_drop_link(struct world *w, int host);

#endif
