/* Which member events a device has been given by lazy loading, so that a sync need not repeat them.
 * Kept in memory; what is not kept is told again. */
#ifndef ENGINE_LAZY_MEMBERS_H
#define ENGINE_LAZY_MEMBERS_H

#include "engine/engine.h"

struct lazy_members;
struct lazy_members *lazy_members_new(void);
void lazy_members_free(struct lazy_members *lazy);

struct lazy_member {
    int64_t user; /* who syncs */
    struct str device_id;
    int64_t event; /* the member event */
};

/* Was it in an answer whose token the device now has shown? */
bool lazy_members_has(const struct hs *hs, const struct lazy_member *member, int64_t since);
/* It is in the answer that ends at this position. */
void lazy_members_put(struct hs *hs, const struct lazy_member *member, int64_t position);

#endif
