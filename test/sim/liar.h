/* The hostile peer: a valid identity, a member of room 0 that is let in like anybody, and no word
 * of it can be relied on. While there are faults it sends what no server may send; for as long as
 * the run lasts it answers what it is asked with lies, or not at all.
 *
 *   liar.c   its life: the stack, the join, what it hears
 *   lies.c   what it says: tables of twisted events, of attacks, and of answers
 *
 * It does not lie where nobody could know: the state that it tells of a room is never a signed,
 * complete, but outdated one. */
#ifndef TEST_SIM_LIAR_H
#define TEST_SIM_LIAR_H

#include "event/event.h"
#include "net/link.h"
#include "test/sim/wire.h"

#define LIAR_HEARD_MAX 24
#define LIAR_ID 80

/* An event of the room that it knows. */
struct heard {
    char id[LIAR_ID];
    int64_t depth;
    char *json;
};

struct liar {
    struct world *world;
    struct rng rng;
    struct net *net;
    struct endpoint endpoint;
    struct sign_key key;
    uint64_t wake_serial, call_serial;
    uint64_t join_call; /* make_join, then send_join; 0: neither is under way */
    bool is_in;
    char user_id[256];
    char join_id[LIAR_ID], create_id[LIAR_ID], power_id[LIAR_ID];
    struct heard heard[LIAR_HEARD_MAX]; /* a ring */
    size_t n_heard;
};

struct liar *liar_new(struct world *world, size_t relays);
void liar_free(struct liar *liar);

/* --- between liar.c and lies.c -------------------------------------------------------------- */

struct event_signer liar_signer(const struct liar *liar);
/* Asks a node; what it answers is not looked at. body may be anything, absent for none. */
void liar_ask(struct liar *liar, size_t node, const char *method, struct str path, struct str body);
/* One attack, drawn. */
void lies_attack(struct liar *liar);
/* What is answered to a question; false: nothing ever is. */
bool lies_answer(struct liar *liar, struct arena *a, const struct http_head *head, int *status,
                 struct str *body);

#endif
