/* Who has asked too much: rate classes (client-server API, "Rate limiting"), and the work that
 * passwords make. State is in memory: a restart forgives. */
#ifndef ENGINE_ADMISSION_H
#define ENGINE_ADMISSION_H

#include "engine/req.h"

struct admission;

struct admission *admission_new(void);
void admission_free(struct admission *admission);

/* Counts the request, once, against its class, for its user, the server whose signature it has, or
 * else its address. 429 M_LIMIT_EXCEEDED with retry_after_ms is set when that is too much. Does
 * nothing without settings.rate_limits. */
enum err admission_check(struct hs *hs, struct req *req);
/* The same for its address alone: whatever comes to the servers' door, before anything of it is
 * looked at; and before the key is asked for of a server that it names, and that may be anybody. */
enum err admission_door(struct hs *hs, struct req *req);
enum err admission_key(struct hs *hs, struct req *req);
/* Counts a trial of a password for this account, from wherever it comes, and once though it waits
 * for its hash: the same reply. */
enum err admission_trial(struct hs *hs, struct req *req, int64_t user);

/* Before a file is fetched from another server: counts it for those who did not say who they are,
 * all together. The same reply. */
enum err admission_fetch(struct hs *hs, struct req *req);

/* Before a handler's first password hash, and before it has written anything: one request a turn
 * gets *go. For the others a reply is set (429: too many wait from that address), or the request is
 * parked and its handler runs again in a later turn. */
enum err admission_password(struct hs *hs, struct req *req, bool *go);
/* The turn is over. */
void admission_turn(struct hs *hs);

#endif
