/* A table of slots; who comes later to a slot has it. */
#include "engine/lazy_members.h"

enum { SLOTS = 8192 };

struct slot {
    uint64_t key; /* of user, device and event; 0: empty */
    int64_t event, position;
};

struct lazy_members {
    struct slot slots[SLOTS];
};

struct lazy_members *lazy_members_new(void)
{
    return base_alloc(sizeof(struct lazy_members));
}

void lazy_members_free(struct lazy_members *lazy)
{
    base_free(lazy);
}

static uint64_t key_of(const struct lazy_member *m)
{
    uint64_t hash = (uint64_t)m->user * 0x9E3779B97F4A7C15U ^ 0xCBF29CE484222325U;
    for (size_t i = 0; i < m->device_id.n; i++) {
        hash = (hash ^ (unsigned char)m->device_id.p[i]) * 0x100000001B3U;
    }
    hash = (hash ^ (uint64_t)m->event) * 0xC2B2AE3D27D4EB4FU;
    return hash == 0 ? 1 : hash;
}

static struct slot *slot_of(const struct hs *hs, uint64_t key)
{
    return &hs->lazy_members->slots[(key >> 32) % SLOTS];
}

bool lazy_members_has(const struct hs *hs, const struct lazy_member *member, int64_t since)
{
    uint64_t key = key_of(member);
    const struct slot *slot = slot_of(hs, key);
    return slot->key == key && slot->event == member->event && slot->position <= since;
}

void lazy_members_put(struct hs *hs, const struct lazy_member *member, int64_t position)
{
    uint64_t key = key_of(member);
    *slot_of(hs, key) = (struct slot){key, member->event, position};
}
