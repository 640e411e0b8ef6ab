/* What other servers are still to be told: rows per destination, in order, until the destination
 * has acknowledged them. fed/destination.c sends them. */
#ifndef ENGINE_OUTBOX_H
#define ENGINE_OUTBOX_H

#include "engine/publish.h"

/* Subscriber: an event of ours goes to every server in the room; a server that joins is told of
 * what we said before we knew. */
enum err outbox_on_fact(struct hs *hs, const struct fact *fact) MUST_USE;
/* An event that its author's server gave to us alone (send_join, an answered invite): the other
 * servers in the room hear of it from us. */
enum err outbox_pass_on(struct hs *hs, struct room *room, const struct stored *s) MUST_USE;
/* An EDU to every other server in the room. key, when not absent, replaces an EDU of the same key
 * that waits (a newer typing notice or receipt makes the older one moot). ERR_LIMIT: it is larger
 * than a transaction may be. */
enum err outbox_edu_room(struct hs *hs, int64_t room, struct str edu_type,
                         const struct json *content, struct str key) MUST_USE;
enum err outbox_edu_server(struct hs *hs, struct str server, struct str edu_type,
                           const struct json *content, struct str key) MUST_USE;
/* A server (its number) that got rows; only EDUs: nobody minds if they leave a moment later. */
struct outbox_kick {
    int64_t server;
    bool only_edus;
};
/* Who got rows since the last call; at most max. The caller sends. */
size_t outbox_take_kicked(struct hs *hs, struct outbox_kick *kicks, size_t max);

struct outbox;
struct outbox *outbox_new(void);
void outbox_free(struct outbox *outbox);

#endif
