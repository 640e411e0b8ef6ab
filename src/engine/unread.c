/* A table of slots; who comes later to a slot has it. */
#include "engine/unread.h"

enum { SLOTS = 2048 };

struct slot {
    int64_t user, room;
    struct unread_count count;
};

struct unread {
    struct slot slots[SLOTS];
};

struct unread *unread_new(void)
{
    return base_alloc(sizeof(struct unread));
}

void unread_free(struct unread *unread)
{
    base_free(unread);
}

static struct slot *slot_of(const struct hs *hs, int64_t user, int64_t room)
{
    uint64_t hash = (uint64_t)user * 0x9E3779B97F4A7C15U ^ (uint64_t)room * 0xC2B2AE3D27D4EB4FU;
    return &hs->unread->slots[(hash >> 32) % SLOTS];
}

bool unread_get(const struct hs *hs, int64_t user, int64_t room, int64_t read,
                struct unread_count *out)
{
    const struct slot *slot = slot_of(hs, user, room);
    *out = slot->count;
    return slot->user == user && slot->room == room && slot->count.read == read;
}

void unread_keep(struct hs *hs, int64_t user, int64_t room, const struct unread_count *count)
{
    *slot_of(hs, user, room) = (struct slot){user, room, *count};
}

void unread_forget(struct hs *hs, int64_t user)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (hs->unread->slots[i].user == user) {
            hs->unread->slots[i] = (struct slot){0};
        }
    }
}
