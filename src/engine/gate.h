/* The doors: from the bytes of a request to its handler, and from the reply back to bytes.
 *
 * A request is one input. Its answer is pushed in the same turn, unless the handler parks it; a
 * parked request is resumed by news (gate_wake) or by its own time (gate_due), or is finished by
 * the task it waits for (gate_find, then gate_finish). */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "engine/req.h"

struct parked;

struct parked *parked_new(void);
void parked_free(struct parked *parked);

/* A request that the host took: a client's (hs_request), or another server's (hs_server_request).
 */
void gate_request(struct hs *hs, enum door door, const struct route *const *tables, uint64_t id,
                  struct str head, struct str body);
/* A peer's request over an authenticated stream. */
void gate_peer(struct hs *hs, const struct route *const *tables, uint64_t stream,
               struct str peer_id, const struct http_head *head, struct str body);
/* The client is gone. */
void gate_gone(struct hs *hs, uint64_t id);

/* The parked request of this id, NULL when it is gone. */
struct req *gate_find(struct hs *hs, uint64_t id);
/* Answers a parked request with the reply that was set; inside the caller's input. After an error
 * reply nothing of the caller's input is rolled back: that is the caller's decision. */
enum err gate_finish(struct hs *hs, struct req *req) MUST_USE;

/* There is news for this user: parked requests with `wakes` are resumed at the end of the turn. */
void gate_news(struct hs *hs, int64_t user);
/* The same for those who watch the room without being in it; room 0: any room, for news of a user
 * wherever he is. */
void gate_room_news(struct hs *hs, int64_t room);
/* End of the turn: resumes whom news or time concerns, each as an input. */
void gate_resume(struct hs *hs);
/* Earliest end of a parked request, mono_ms; -1: none. */
int64_t gate_next_ms(const struct hs *hs);
size_t gate_parked_count(const struct hs *hs);

#endif
