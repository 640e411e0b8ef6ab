/* Dialling, back-off and loss of a relay's websocket. */
#include "net/relay.h"

#include "net/addr.h"

#include <string.h>

enum { WHY_MAX = 200, MIDDLE_MAX_MS = RELAY_BACKOFF_MAX_MS * 2 / 3 };

static void set_state(struct relay *r, enum net_relay_state state, int64_t now_ms)
{
    r->state = state;
    r->since_ms = now_ms;
}

static void star_random(void *ctx, void *out, size_t n)
{
    struct relay *r = ctx;
    r->owner->calls.random(r->owner->calls.ctx, out, n);
}

static void star_send(void *ctx, struct str message, bool is_text)
{
    struct relay *r = ctx;
    r->room -= message.n < r->room ? message.n : r->room;
    r->owner->calls.send(r->owner->calls.ctx, r->link, message, is_text);
}

enum err relay_init(struct relay *r, struct arena *a, struct str url, struct relay_owner *owner)
{
    struct wsstar_calls star = owner->star_calls;
    struct str address;
    *r = (struct relay){.owner = owner};
    TRY(addr_socket_url(a, url, &r->socket_url));
    TRY(addr_from_url(a, url, owner->peer_id, &address));
    r->url = arena_str(a, url);
    buf_init(&r->why, WHY_MAX);
    star.ctx = r;
    star.random = star_random;
    star.send = star_send;
    r->star = wsstar_new(&owner->key, address, &star);
    return ERR_NONE;
}

void relay_release(struct relay *r)
{
    wsstar_free(r->star);
    buf_release(&r->why);
}

/* Doubled each time, and each times 0.5 to 1.5, so that those who lost a relay together do not come
 * back together. */
static int64_t backoff_ms(struct relay *r)
{
    uint16_t random;
    int64_t base = RELAY_BACKOFF_MIN_MS;
    star_random(r, &random, sizeof(random));
    for (unsigned i = 1; i < r->failures && base < MIDDLE_MAX_MS; i++) {
        base *= 2;
    }
    base = base > MIDDLE_MAX_MS ? MIDDLE_MAX_MS : base;
    return base / 2 + base * random / UINT16_MAX;
}

static void go_down(struct relay *r, struct str why, int64_t now_ms)
{
    buf_clear(&r->why);
    buf_add(&r->why, str_sub(why, 0, WHY_MAX));
    r->link = 0;
    r->room = 0;
    r->failures++;
    set_state(r, NET_RELAY_WAITING, now_ms);
    r->deadline_ms = now_ms + backoff_ms(r);
    wsstar_down(r->star);
}

/* Closes a websocket that is of no use. */
static void give_up(struct relay *r, struct str why, int64_t now_ms)
{
    uint64_t link = r->link;
    go_down(r, why, now_ms);
    r->owner->calls.close(r->owner->calls.ctx, link);
}

void relay_up(struct relay *r, int64_t now_ms)
{
    if (r->state == NET_RELAY_DIALLING) {
        r->room = RELAY_ROOM;
        set_state(r, NET_RELAY_JOINING, now_ms);
        wsstar_up(r->star, now_ms);
    }
}

void relay_joined(struct relay *r, int64_t now_ms)
{
    r->failures = 0;
    buf_clear(&r->why);
    set_state(r, NET_RELAY_JOINED, now_ms);
}

void relay_message(struct relay *r, struct str message, bool is_text, int64_t now_ms)
{
    if (wsstar_message(r->star, message, is_text, now_ms) != ERR_NONE) {
        give_up(r, wsstar_why(r->star), now_ms);
    }
}

void relay_down(struct relay *r, struct str why, int64_t now_ms)
{
    go_down(r, why, now_ms);
}

static void dial(struct relay *r, int64_t now_ms)
{
    r->link = r->owner->next_link;
    r->owner->next_link++;
    set_state(r, NET_RELAY_DIALLING, now_ms);
    r->deadline_ms = now_ms + RELAY_DIAL_TIMEOUT_MS;
    r->owner->calls.dial(r->owner->calls.ctx, r->link, r->socket_url);
}

void relay_tick(struct relay *r, int64_t now_ms)
{
    switch (r->state) {
    case NET_RELAY_WAITING:
        if (now_ms >= r->deadline_ms) {
            dial(r, now_ms);
        }
        break;
    case NET_RELAY_DIALLING:
        if (now_ms >= r->deadline_ms) {
            give_up(r, STR("the relay does not answer"), now_ms);
        }
        break;
    case NET_RELAY_JOINING:
    case NET_RELAY_JOINED:
        if (wsstar_tick(r->star, now_ms) != ERR_NONE) {
            give_up(r, wsstar_why(r->star), now_ms);
        }
        break;
    }
}

int64_t relay_next_ms(const struct relay *r)
{
    bool is_open = r->state == NET_RELAY_JOINING || r->state == NET_RELAY_JOINED;
    return is_open ? wsstar_next_ms(r->star) : r->deadline_ms;
}
