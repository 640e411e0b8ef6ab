/* Rate classes as a table, and one number a bucket: the time at which it would be empty again (the
 * generic cell rate algorithm). */
#include "engine/admission.h"

#include "engine/parked.h"

enum {
    WAYS = 4,                /* places of a key */
    SETS = 1024,             /* of that many */
    PASSWORDS_WAITING = 16,  /* requests that wait for their hash, all addresses */
    PASSWORDS_OF_ADDRESS = 2 /* of them from one */
};

/* That many at once, then that many a minute. A reading client with many rooms asks in bursts; a
 * program that sends as fast as it can is made to wait. */
struct rate {
    int64_t burst, per_minute;
};

/* clang-format off */
static const struct rate rates[] = {
    [RATE_OTHER]    = {1000, 6000},
    [RATE_ACCOUNT]  = {  20,   20}, /* a new account, a login: counted by address */
    [RATE_PASSWORD] = {  20,   10}, /* trials of one account's password */
    [RATE_MESSAGE]  = { 200,  600},
    [RATE_ROOM]     = {  50,   60}, /* each may wake many servers */
    [RATE_SEARCH]   = {  50,  120},
    [RATE_UPLOAD]   = {  50,   60},
    [RATE_FILE]     = { 300,  300}, /* by anyone, perhaps from another server */
    [RATE_FETCH]    = {  60,   30}, /* each may push another file out of the cache */
    [RATE_DOOR]     = {4000, 24000},
    [RATE_SERVER]   = {1000, 6000}, /* a transaction carries fifty events */
    [RATE_KEY]      = {  60,   60}, /* a name costs nothing, and each has us look for a server */
    [RATE_ERRAND]   = {  30,   30}, /* each has us ask up to thirty others */
};
/* clang-format on */

struct bucket {
    uint64_t key;
    int64_t empty_us; /* mono time when it is empty; past: it is */
};

struct admission {
    struct bucket buckets[SETS][WAYS];
    bool has_hashed; /* this turn */
};

struct admission *admission_new(void)
{
    return base_alloc(sizeof(struct admission));
}

void admission_free(struct admission *admission)
{
    base_free(admission);
}

/* The bucket of the key, or the one that is nearest to empty. */
static struct bucket *bucket_of(struct admission *admission, uint64_t key)
{
    struct bucket *set = admission->buckets[(key >> 32) % SETS];
    struct bucket *found = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
        found = set[i].empty_us < found->empty_us ? &set[i] : found;
    }
    *found = (struct bucket){.key = key};
    return found;
}

static uint64_t mix(uint64_t key)
{
    key = (key ^ (key >> 31)) * 0x7fb5d329728ea185u;
    key = (key ^ (key >> 27)) * 0x81dadef4bc2dd44du;
    return key ^ (key >> 33);
}

/* FNV-1a: two addresses of one hash share their rate, no more. */
static uint64_t hash_of(struct str text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.n; i++) {
        hash = (hash ^ (unsigned char)text.p[i]) * 0x100000001b3u;
    }
    return hash | 1;
}

/* 0: it may; else milliseconds until it might. */
static int64_t take(struct hs *hs, enum rate_class rate, uint64_t who)
{
    struct bucket *b = bucket_of(hs->admission, mix(who * 16 + (uint64_t)rate));
    int64_t now_us = hs->now.mono_ms * 1000;
    int64_t each_us = 60000000 / rates[rate].per_minute;
    int64_t from_us = b->empty_us > now_us ? b->empty_us : now_us;
    int64_t over_us = from_us + each_us - (now_us + rates[rate].burst * each_us);
    if (over_us > 0) {
        return over_us / 1000 + 1;
    }
    b->empty_us = from_us + each_us;
    return 0;
}

static enum err too_much(struct req *req, int64_t wait_ms)
{
    (void)reply_error(req, 429, "M_LIMIT_EXCEEDED", "these are too many requests; wait a little");
    json_put_int(req->reply.json, "retry_after_ms", wait_ms);
    int64_t wait_s = wait_ms / 1000 + 1;
    req->reply.headers = arena_fmt(req->a, "retry-after: %lld\r\n", (long long)wait_s);
    return ERR_NONE;
}

static enum err count(struct hs *hs, struct req *req, enum rate_class rate, uint64_t who)
{
    int64_t wait_ms = hs->settings.rate_limits ? take(hs, rate, who) : 0;
    return wait_ms == 0 ? ERR_NONE : too_much(req, wait_ms);
}

enum err admission_check(struct hs *hs, struct req *req)
{
    uint64_t who = req->user != 0 ? (uint64_t)req->user << 1
                                  : hash_of(req->origin.n > 0 ? req->origin : req->address);
    if (req->is_counted) {
        return ERR_NONE;
    }
    req->is_counted = true;
    return count(hs, req, req->route->rate, who);
}

enum err admission_door(struct hs *hs, struct req *req)
{
    return count(hs, req, RATE_DOOR, hash_of(req->address));
}

enum err admission_key(struct hs *hs, struct req *req)
{
    return count(hs, req, RATE_KEY, hash_of(req->address));
}

enum err admission_fetch(struct hs *hs, struct req *req)
{
    return req->user == 0 ? count(hs, req, RATE_FETCH, 0) : ERR_NONE;
}

/* The handler of a request that waited for its password's hash. */
static enum err again(struct hs *hs, struct req *req, bool is_time_up)
{
    (void)is_time_up;
    return req->route->handler(hs, req);
}

enum err admission_trial(struct hs *hs, struct req *req, int64_t user)
{
    bool is_counted = user == 0 || req->resume == again;
    return is_counted ? ERR_NONE : count(hs, req, RATE_PASSWORD, (uint64_t)user << 1);
}

/* --- passwords ------------------------------------------------------------------------------ */

enum err admission_password(struct hs *hs, struct req *req, bool *go)
{
    bool was_waiting = req->resume == again;
    size_t of_address = 0;
    size_t waiting = parked_waiting(hs->parked, again, req->address, &of_address);
    *go = req->may_hash || (!hs->admission->has_hashed && (was_waiting || waiting == 0));
    if (*go) {
        hs->admission->has_hashed = true;
        req->may_hash = true;
        return ERR_NONE;
    }
    if (!was_waiting && (waiting >= PASSWORDS_WAITING ||
                         (hs->settings.rate_limits && of_address >= PASSWORDS_OF_ADDRESS))) {
        return too_much(req, 1000);
    }
    return req_park(req, again, hs->now.mono_ms + 1, false);
}

void admission_turn(struct hs *hs)
{
    hs->admission->has_hashed = false;
}
