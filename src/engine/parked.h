/* Requests that wait: long polls, and those that a task will finish. Bounded by
 * REQUESTS_PARKED_MAX. Owns the requests it keeps. */
#ifndef ENGINE_PARKED_H
#define ENGINE_PARKED_H

#include "engine/req.h"

struct parked;

struct parked *parked_new(void);
void parked_free(struct parked *p);
/* False: there is no room; the request stays the caller's. */
bool parked_keep(struct parked *p, struct req *req);
/* It was resumed and waits again, perhaps for something else. */
void parked_renew(struct parked *p, const struct req *req);
/* Forgets the request and frees its arena. */
void parked_drop(struct parked *p, struct req *req);
struct req *parked_find(struct parked *p, enum door door, uint64_t id);
/* The one that carries the same Neurite-Request-Id of the same session, NULL: none. */
struct req *parked_of_request_id(struct parked *p, const struct req *req);
/* One that repeats the parked client request `leader`, NULL: none. */
struct req *parked_follower(struct parked *p, uint64_t leader);
/* How many wait for this, and of them how many from this address. */
size_t parked_waiting(const struct parked *p, resume_fn resume, struct str address,
                      size_t *of_address);
/* How many requests wait of who asks here, at the same door: a user, a server or, as long as there
 * is neither, an address; and how many of servers in all. */
size_t parked_of_asker(const struct parked *p, const struct req *asker, size_t *of_servers);
size_t parked_count(const struct parked *p);

/* Marks those of this user that wake by news. */
void parked_news(struct parked *p, int64_t user);
/* Marks those that watch this room; 0: any room. */
void parked_room_news(struct parked *p, int64_t room);
/* Where `max` of this user wait for news, the one that came first has waited enough. */
void parked_crowd(struct parked *p, int64_t user, size_t max, int64_t mono_ms);
/* How many wake by news. */
size_t parked_wakes(const struct parked *p);
/* The user of the next one that wakes by news and has none yet; *i starts at 0. */
bool parked_next_quiet(const struct parked *p, size_t *i, int64_t *user);
/* The next one with news or whose time is up; takes the mark away. NULL: none. */
struct req *parked_ready(struct parked *p, int64_t mono_ms);
/* Earliest until_ms; -1: none. */
int64_t parked_next_ms(const struct parked *p);

#endif
