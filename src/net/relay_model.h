/* A relay of 200 lines for tests: joins without checking, streams, and the npm relay's way of
 * saying nothing about half of what goes wrong. */
#ifndef NET_RELAY_MODEL_H
#define NET_RELAY_MODEL_H

#include "net/socketio.h"
#include "test/rng.h"

enum { MODEL_CLIENTS_MAX = 16, MODEL_STREAMS_MAX = 256 };

struct model_client {
    bool is_open, has_nonce, is_joined;
    struct socketio socketio;
    char address[256];
};

struct model_stream {
    bool is_open;
    char id[64];
    int dialer, listener; /* clients; -1: gone */
    uint64_t dial_ack, incoming_ack;
    int ended; /* halves; the stream is forgotten with the second */
};

struct model {
    void *ctx;
    void (*send)(void *ctx, int client, struct str message, bool is_text);
    struct arena *a;
    struct model_client clients[MODEL_CLIENTS_MAX];
    struct model_stream streams[MODEL_STREAMS_MAX];
    uint64_t next_ack;
    bool never_answers_dials;
    bool splits; /* chunks are forwarded in random pieces, some of them empty */
    struct rng rng;
    int dials;
};

void model_init(struct model *m);
void model_release(struct model *m);
int model_open(struct model *m); /* a new websocket; greets it */
void model_message(struct model *m, int client, struct str message, bool is_text);
void model_close(struct model *m, int client); /* the client is gone */
void model_announce(struct model *m);          /* what the npm relay does every 10 s */

#endif
