/* The peer-to-peer stack alone, for tests: websockets and commands come in on stdin, what the
 * stack wants goes out on stdout. It answers every request with the request's own body.
 *
 *   wire_peer SEED RELAY_URL...      SEED: a number, the key's first byte
 *
 * Both ways a frame is: length of the rest (4 bytes, big endian), kind (1), id (8), bytes.
 *   in:   U link up | T, B link's message, text or binary | R link's room, decimal | D link down
 *         C call id: peer id, request
 *   out:  d link: URL to dial | t, b link's message | c link: close | p our peer id
 *         s address of a peer | g peer id that is gone | r peer id that made a request
 *         a call id: status, decimal, a space, body or reason */
#define _POSIX_C_SOURCE 200809L

#include "crypto/hash.h"
#include "net/addr.h"
#include "net/link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_SIZE = 13, INPUT_MAX = 32 << 20, CALL_TIMEOUT_MS = 30000 };

struct peer {
    struct net *net;
    FILE *random;
    struct buf input;
};

static struct now now_is(void)
{
    struct timespec mono, wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct now){mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
                        wall.tv_sec * 1000 + wall.tv_nsec / 1000000};
}

static void put(char kind, uint64_t id, struct str bytes)
{
    unsigned char head[HEAD_SIZE] = {0};
    size_t rest = bytes.n + HEAD_SIZE - 4;
    for (size_t i = 0; i < 4; i++) {
        head[i] = (unsigned char)(rest >> (24 - 8 * i));
    }
    head[4] = (unsigned char)kind;
    for (size_t i = 0; i < 8; i++) {
        head[5 + i] = (unsigned char)(id >> (56 - 8 * i));
    }
    fwrite(head, 1, sizeof(head), stdout);
    if (bytes.n > 0) {
        fwrite(bytes.p, 1, bytes.n, stdout);
    }
}

static void on_random(void *ctx, void *out, size_t n)
{
    struct peer *p = ctx;
    if (fread(out, 1, n, p->random) != n) {
        abort();
    }
}

static void on_dial(void *ctx, uint64_t link, struct str url)
{
    (void)ctx;
    put('d', link, url);
}

static void on_send(void *ctx, uint64_t link, struct str message, bool is_text)
{
    (void)ctx;
    put(is_text ? 't' : 'b', link, message);
}

static void on_close(void *ctx, uint64_t link)
{
    (void)ctx;
    put('c', link, STR(""));
}

static void on_seen(void *ctx, struct str peer_id, struct str address)
{
    (void)ctx;
    (void)peer_id;
    put('s', 0, address);
}

static void on_gone(void *ctx, struct str peer_id)
{
    (void)ctx;
    put('g', 0, peer_id);
}

static void on_request(void *ctx, uint64_t stream, struct str peer_id, const struct http_head *head,
                       struct str body)
{
    struct peer *p = ctx;
    (void)head;
    put('r', 0, peer_id);
    net_answer(p->net, now_is(), stream, 200, STR("content-type: text/plain\r\n"), body);
}

static void on_answer(void *ctx, uint64_t call, int status, struct str why,
                      const struct http_head *head, struct str body)
{
    (void)ctx;
    (void)head;
    struct arena *a = arena_new();
    put('a', call, arena_join(a, arena_fmt(a, "%d ", status), status == 0 ? why : body, STR("")));
    arena_free(a);
}

static void take(struct peer *p, char kind, uint64_t id, struct str bytes)
{
    int64_t room = 0;
    switch (kind) {
    case 'U':
        net_link_up(p->net, now_is(), id);
        break;
    case 'T':
    case 'B':
        net_link_message(p->net, now_is(), id, bytes, kind == 'T');
        break;
    case 'R':
        if (str_to_i64(bytes, &room) && room >= 0) {
            net_link_room(p->net, now_is(), id, (size_t)room);
        }
        break;
    case 'D':
        net_link_down(p->net, now_is(), id, STR("closed"));
        break;
    case 'C':
        net_call(p->net, now_is(), str_sub(bytes, 0, ADDR_ID_SIZE), id,
                 str_from(bytes, ADDR_ID_SIZE), CALL_TIMEOUT_MS);
        break;
    default:
        fprintf(stderr, "wire_peer: unknown command %d\n", kind);
        exit(2);
    }
}

static void take_all(struct peer *p)
{
    struct str rest = buf_str(&p->input);
    while (rest.n >= HEAD_SIZE) {
        const unsigned char *head = (const unsigned char *)rest.p;
        size_t size =
            (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        uint64_t id = 0;
        if (rest.n < size + 4) {
            break;
        }
        for (size_t i = 0; i < 8; i++) {
            id = id << 8 | head[5 + i];
        }
        take(p, rest.p[4], id, str_sub(rest, HEAD_SIZE, size + 4 - HEAD_SIZE));
        rest = str_from(rest, size + 4);
    }
    buf_drop(&p->input, p->input.n - rest.n);
}

/* False: the test has closed the pipe. */
static bool wait_and_read(struct peer *p)
{
    int64_t next = net_next_ms(p->net);
    int64_t wait = next < 0 ? -1 : next - now_is().mono_ms;
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&in, 1, next < 0 ? -1 : (wait < 0 ? 0 : (int)wait)) <= 0) {
        return true;
    }
    unsigned char *to = buf_reserve(&p->input, 65536);
    ssize_t n = to == NULL ? 0 : read(STDIN_FILENO, to, 65536);
    if (n > 0) {
        p->input.n += (size_t)n;
    }
    return n > 0;
}

int main(int argc, char **argv)
{
    struct str relays[NET_RELAYS_MAX];
    struct peer p = {.random = fopen("/dev/urandom", "rb")};
    struct net_config config = {.relays = {relays, 0}};
    uint8_t seed[SIGN_SEED_SIZE] = {0};
    if (argc < 3 || argc - 2 > NET_RELAYS_MAX || p.random == NULL) {
        fprintf(stderr, "usage: wire_peer SEED RELAY_URL...\n");
        return 2;
    }
    crypto_start();
    seed[0] = (uint8_t)strtol(argv[1], NULL, 10);
    sign_key_from_seed(&config.identity, seed);
    for (int i = 2; i < argc; i++) {
        relays[config.relays.n++] = str_of(argv[i]);
    }
    config.calls = (struct net_calls){&p,      on_random, on_dial,    on_send,  on_close,
                                      on_seen, on_gone,   on_request, on_answer};
    buf_init(&p.input, INPUT_MAX);
    p.net = net_new(&config);
    put('p', 0, net_peer_id(p.net));
    do {
        take_all(&p);
        net_tick(p.net, now_is());
        fflush(stdout);
    } while (wait_and_read(&p));
    net_free(p.net);
    buf_release(&p.input);
    fclose(p.random);
    return 0;
}
