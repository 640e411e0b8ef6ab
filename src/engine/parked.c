/* A bounded array of waiting requests, in order of arrival. */
#include "engine/parked.h"

enum { BUCKETS = 256 };

struct slot {
    struct req *req; /* NULL: free */
    bool news;
    bool is_linked; /* it wakes by news of its user */
    size_t next;    /* of the same bucket, counted from 1 */
};

struct parked {
    struct slot slots[REQUESTS_PARKED_MAX];
    size_t n;   /* in use */
    size_t end; /* slots from here on were never used */
    size_t n_linked;
    size_t buckets[BUCKETS]; /* the linked ones by user, counted from 1 */
};

struct parked *parked_new(void)
{
    return base_alloc(sizeof(struct parked));
}

void parked_free(struct parked *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->end; i++) {
        if (p->slots[i].req != NULL) {
            arena_free(p->slots[i].req->a);
        }
    }
    base_free(p);
}

static size_t *bucket_of(struct parked *p, int64_t user)
{
    return &p->buckets[(uint64_t)user % BUCKETS];
}

static void link_slot(struct parked *p, size_t i)
{
    if (!p->slots[i].req->wakes || p->slots[i].is_linked) {
        return;
    }
    size_t *first = bucket_of(p, p->slots[i].req->user);
    p->slots[i].next = *first;
    *first = i + 1;
    p->slots[i].is_linked = true;
    p->n_linked++;
}

static void unlink_slot(struct parked *p, size_t i)
{
    if (!p->slots[i].is_linked) {
        return;
    }
    size_t *at = bucket_of(p, p->slots[i].req->user);
    while (*at != i + 1) {
        at = &p->slots[*at - 1].next;
    }
    *at = p->slots[i].next;
    p->n_linked--;
}

bool parked_keep(struct parked *p, struct req *req)
{
    for (size_t i = 0; i < REQUESTS_PARKED_MAX; i++) {
        if (p->slots[i].req == NULL) {
            p->slots[i] = (struct slot){.req = req};
            link_slot(p, i);
            p->n++;
            p->end = p->end > i + 1 ? p->end : i + 1;
            return true;
        }
    }
    return false;
}

void parked_renew(struct parked *p, const struct req *req)
{
    for (size_t i = 0; i < p->end; i++) {
        if (p->slots[i].req == req) {
            link_slot(p, i);
            return;
        }
    }
}

void parked_drop(struct parked *p, struct req *req)
{
    for (size_t i = 0; i < p->end; i++) {
        if (p->slots[i].req == req) {
            unlink_slot(p, i);
            p->slots[i] = (struct slot){0};
            p->n--;
            arena_free(req->a);
            return;
        }
    }
}

struct req *parked_find(struct parked *p, enum door door, uint64_t id)
{
    for (size_t i = 0; i < p->end; i++) {
        struct req *req = p->slots[i].req;
        if (req != NULL && req->door == door && req->id == id) {
            return req;
        }
    }
    return NULL;
}

struct req *parked_of_request_id(struct parked *p, const struct req *req)
{
    for (size_t i = 0; i < p->end; i++) {
        struct req *other = p->slots[i].req;
        if (other != NULL && other->leader == 0 && other->request_id.p != NULL &&
            str_eq(other->request_id, req->request_id) &&
            str_eq(other->request_session, req->request_session)) {
            return other;
        }
    }
    return NULL;
}

struct req *parked_follower(struct parked *p, uint64_t leader)
{
    for (size_t i = 0; i < p->end; i++) {
        struct req *req = p->slots[i].req;
        if (req != NULL && req->leader != 0 && req->leader == leader) {
            return req;
        }
    }
    return NULL;
}

size_t parked_waiting(const struct parked *p, resume_fn resume, struct str address,
                      size_t *of_address)
{
    size_t n = 0;
    *of_address = 0;
    for (size_t i = 0; i < p->end; i++) {
        const struct req *req = p->slots[i].req;
        if (req != NULL && req->resume == resume) {
            n++;
            *of_address += str_eq(req->address, address) ? 1 : 0;
        }
    }
    return n;
}

static bool is_same_asker(const struct req *a, const struct req *b)
{
    if (a->door != b->door || a->user != b->user || !str_eq(a->origin, b->origin)) {
        return false;
    }
    return a->user != 0 || a->origin.n > 0 || str_eq(a->address, b->address);
}

size_t parked_of_asker(const struct parked *p, const struct req *asker, size_t *of_servers)
{
    size_t n = 0;
    *of_servers = 0;
    for (size_t i = 0; i < p->end; i++) {
        const struct req *req = p->slots[i].req;
        n += req != NULL && is_same_asker(req, asker);
        *of_servers += req != NULL && req->door != DOOR_CLIENT;
    }
    return n;
}

size_t parked_count(const struct parked *p)
{
    return p->n;
}

void parked_news(struct parked *p, int64_t user)
{
    for (size_t i = *bucket_of(p, user); i != 0; i = p->slots[i - 1].next) {
        if (p->slots[i - 1].req->user == user) {
            p->slots[i - 1].news = true;
        }
    }
}

void parked_room_news(struct parked *p, int64_t room)
{
    for (size_t i = 0; i < p->end; i++) {
        const struct req *req = p->slots[i].req;
        if (req != NULL && req->watched != 0 && (room == 0 || req->watched == room)) {
            p->slots[i].news = true;
        }
    }
}

void parked_crowd(struct parked *p, int64_t user, size_t max, int64_t mono_ms)
{
    struct req *first = NULL;
    size_t n = 0;
    for (size_t i = *bucket_of(p, user); i != 0; i = p->slots[i - 1].next) {
        struct req *req = p->slots[i - 1].req;
        if (req->user == user && req->until_ms > mono_ms) {
            first = req; /* a bucket begins with the newest */
            n++;
        }
    }
    if (first != NULL && n >= max) {
        first->until_ms = mono_ms;
    }
}

size_t parked_wakes(const struct parked *p)
{
    return p->n_linked;
}

bool parked_next_quiet(const struct parked *p, size_t *i, int64_t *user)
{
    for (; *i < p->end; (*i)++) {
        const struct slot *slot = &p->slots[*i];
        if (slot->is_linked && !slot->news) {
            *user = slot->req->user;
            (*i)++;
            return true;
        }
    }
    return false;
}

struct req *parked_ready(struct parked *p, int64_t mono_ms)
{
    for (size_t i = 0; i < p->end; i++) {
        struct slot *slot = &p->slots[i];
        bool is_time_up = slot->req != NULL && slot->req->resume != NULL &&
                          slot->req->until_ms >= 0 && mono_ms >= slot->req->until_ms;
        if (slot->req != NULL && (slot->news || is_time_up)) {
            slot->news = false;
            return slot->req;
        }
    }
    return NULL;
}

int64_t parked_next_ms(const struct parked *p)
{
    int64_t next = -1;
    for (size_t i = 0; i < p->end; i++) {
        const struct req *req = p->slots[i].req;
        if (req != NULL && req->until_ms >= 0 && (next < 0 || req->until_ms < next)) {
            next = req->until_ms;
        }
    }
    return next;
}
