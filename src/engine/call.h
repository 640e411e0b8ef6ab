/* Requests to other homeservers, over the peer-to-peer stack to peers and over HTTPS to others, and
 * answers to those of peers. They are queued and leave at the end of the turn, so that an input
 * rolled back sends nothing. */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include "engine/req.h"

struct calls;
struct call;

/* status 0: it failed, why says how. body: the answer's JSON, NULL when there is none or it is not
 * JSON. Runs as an input of its own, in the arena call->a. */
typedef enum err (*answer_fn)(struct hs *hs, struct call *call, int status, struct json *body,
                              const char *why);

struct call {
    struct arena *a; /* this call's own; freed after the answer */
    uint64_t id;
    struct str server;
    answer_fn answer;
    struct str text; /* the answer's body as it came, during answer */
    int status;      /* and its status, 0: none */
    struct json *body;
    struct str why;
    int key_rounds; /* of asking for the keys of what it brought */
    void *ctx; /* the caller's, usually allocated in a; ids, never pointers into other lifetimes */
};

/* Is this the answer of a server that does not know the operation, perhaps only its newer version?
 */
bool call_is_unknown(int status, const struct json *body);
/* The answer in what an operation of version 1 answers with: [200, answer]; NULL: it is not that.
 */
const struct json *call_unwrap(const struct json *body);

struct calls *calls_new(void);
void calls_free(struct calls *calls);

/* A new call with its own arena; fill ctx from call->a before sending. */
struct call *call_new(struct hs *hs, struct str server, answer_fn answer);
/* Signs (X-Matrix) and queues it. path begins with "/_matrix/"; body NULL for GET. The answer comes
 * within timeout_ms, also when the server is unknown or the relay is gone (status 0). */
enum err call_send(struct hs *hs, struct call *call, const char *method, struct str path,
                   const struct json *body, int64_t timeout_ms) MUST_USE;
/* Is the call still without its answer? */
bool call_is_open(const struct hs *hs, uint64_t id);
/* Can server be reached by name at all: is it a peer and we have a relay, or is it none and we
 * federate over HTTPS? */
bool call_is_possible(const struct hs *hs, struct str server);

/* Answers a peer's request; copied and queued. */
void calls_reply(struct calls *calls, uint64_t stream, int status, struct str head,
                 struct str body);

size_t calls_mark(const struct calls *calls);
void calls_cut(struct calls *calls, size_t mark);
/* Hands everything queued to the network. */
void calls_leave(struct hs *hs);
/* The answer to a call: finds it, runs it as an input, forgets it; once the keys are known that its
 * events are signed with. */
void calls_answered(struct hs *hs, uint64_t id, int status, struct str why, struct str body);

#endif
