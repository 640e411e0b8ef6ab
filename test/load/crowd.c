/* Clients of a websocket-star relay, as many as are wanted, in one thread that does little: each
 * joins with a key of its own, asks for presence, pings, and throws away unread what it is told.
 *
 *   crowd PORT CLIENTS       CLIENTS join, some at a time; then a line of stdin at a time is
 * obeyed: "new": one more comes, joins and goes. End of stdin: all go. out:  joined CLIENTS
 * MICROSECONDS | new MICROSECONDS (from connect() to the whole answer) */
#define _GNU_SOURCE /* epoll, memmem */

#include "base/encode.h"
#include "crypto/hash.h"
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    JOINING_MAX = 32, /* at once */
    EVENTS_MAX = 256,
    LOOK_SIZE = 1024, /* of a message, what is looked at */
    SKIP_SIZE = 1 << 20,
    NONCE_SIZE = 72,
    PING_US = 20 * 1000 * 1000,
    TICK_MS = 100,
    DESCRIPTORS_SPARE = 32,
};

enum step { STEP_UPGRADE, STEP_NONCE, STEP_JOIN, STEP_JOINED };

struct client {
    int fd;
    enum step step;
    size_t n_seen;  /* bytes in look */
    uint64_t rest;  /* bytes of the message that are still to be thrown away */
    bool is_answer; /* that message is the answer to the join */
    int64_t start_us;
    struct sign_key key;
    char *look; /* LOOK_SIZE bytes; NULL: nothing is looked at any more */
};

struct crowd {
    struct sockaddr_in relay;
    int epoll;
    struct arena *a;
    struct client *clients;
    size_t n, n_started, n_joined, n_pinged;
};

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- saying --------------------------------------------------------------------------------- */

static void write_all(const struct client *client, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(client->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            fail("send");
        }
        bytes = str_from(bytes, n < 0 ? 0 : (size_t)n);
    }
}

/* A text of 126 to 65,535 bytes, or of fewer, masked with zeros. */
static void say(struct crowd *crowd, const struct client *client, struct str text)
{
    char head[] = {(char)0x81, 0, 0, 0, 0, 0, 0, 0};
    size_t n_head = text.n < 126 ? 6 : 8;
    head[1] = (char)(0x80 | (text.n < 126 ? text.n : 126));
    if (text.n >= 126) {
        head[2] = (char)(text.n >> 8);
        head[3] = (char)(text.n & 0xff);
    }
    write_all(client, arena_join(crowd->a, str_make(head, n_head), text, STR("")));
}

static void say_join(struct crowd *crowd, const struct client *client, int ack, struct str proof)
{
    struct str id = addr_id_write(crowd->a, client->key.public_key);
    struct str hex = hex_write(crowd->a, proof);
    say(crowd, client,
        arena_fmt(crowd->a,
                  "42%d[\"ss-join\",\"/ip4/127.0.0.1/tcp/%u/ws/p2p-websocket-star/ipfs/%.*s\","
                  "\"%.*s\"]",
                  ack, ntohs(crowd->relay.sin_port), STR_ARG(id), STR_ARG(hex)));
}

static void on_upgraded(struct crowd *crowd, struct client *client)
{
    uint8_t key[ADDR_KEY_SIZE];
    addr_key_write(key, client->key.public_key);
    say(crowd, client, STR("42[\"ss-presence\"]")); /* npm's relay ignores it */
    say_join(crowd, client, 0, str_make((const char *)key, sizeof(key)));
    client->step = STEP_NONCE;
}

/* --- hearing -------------------------------------------------------------------------------- */

static void on_message(struct crowd *crowd, struct client *client, struct str start)
{
    if (client->step == STEP_NONCE && str_starts(start, STR("430[null,\""))) {
        uint8_t signature[SIGN_SIZE];
        struct str nonce = str_sub(start, sizeof("430[null,\"") - 1, NONCE_SIZE);
        sign_make(signature, &client->key, nonce);
        say_join(crowd, client, 1, str_make((const char *)signature, sizeof(signature)));
        client->step = STEP_JOIN;
    } else if (client->step == STEP_JOIN && str_starts(start, STR("431[null,null,["))) {
        client->is_answer = true;
    } else if (str_starts(start, STR("43"))) {
        (void)fprintf(stderr, "crowd: refused: %.*s\n", STR_ARG(start));
        exit(1);
    }
}

static void message_ended(struct crowd *crowd, struct client *client)
{
    if (client->is_answer) {
        client->is_answer = false;
        client->step = STEP_JOINED;
        crowd->n_joined++;
        base_free(client->look);
        client->look = NULL;
    }
}

/* Takes a frame's start out of what was seen. False: it is not whole enough. */
static bool take_frame(struct crowd *crowd, struct client *client)
{
    const unsigned char *p = (const unsigned char *)client->look;
    size_t n_head = client->n_seen < 2 || p[1] < 126 ? 2 : p[1] == 126 ? 4 : 10;
    if (client->n_seen < n_head) {
        return false;
    }
    uint64_t size = p[1] < 126 ? p[1] : 0;
    for (size_t i = 2; i < n_head; i++) {
        size = size << 8 | p[i];
    }
    size_t n_here = client->n_seen - n_head;
    if (n_here < size && n_here < NONCE_SIZE * 2) {
        return false;
    }
    size_t n_taken = n_here < size ? n_here : (size_t)size;
    on_message(crowd, client, str_make(client->look + n_head, n_taken));
    client->n_seen = n_here - n_taken;
    memmove(client->look, client->look + n_head + n_taken, client->n_seen);
    client->rest = size - n_taken;
    if (client->rest == 0) {
        message_ended(crowd, client);
    }
    return client->look != NULL;
}

static bool take_upgrade(struct crowd *crowd, struct client *client)
{
    const char *end = memmem(client->look, client->n_seen, "\r\n\r\n", 4);
    if (end == NULL) {
        return false;
    }
    client->n_seen -= (size_t)(end + 4 - client->look);
    memmove(client->look, end + 4, client->n_seen);
    on_upgraded(crowd, client);
    return true;
}

/* What is in the buffer now. */
static void look_at(struct crowd *crowd, struct client *client)
{
    bool goes_on = client->step != STEP_UPGRADE || take_upgrade(crowd, client);
    while (goes_on && client->rest == 0) {
        goes_on = take_frame(crowd, client);
    }
}

/* Reads until there is nothing; what need not be looked at is not even copied. */
static void on_readable(struct crowd *crowd, struct client *client)
{
    for (;;) {
        bool is_done = client->look == NULL;
        bool is_skipping = is_done || client->rest > 0;
        size_t want = is_done                    ? SKIP_SIZE
                      : client->rest > SKIP_SIZE ? SKIP_SIZE
                      : client->rest > 0         ? (size_t)client->rest
                                                 : LOOK_SIZE - client->n_seen;
        ssize_t n = is_skipping ? recv(client->fd, NULL, want, MSG_TRUNC)
                                : recv(client->fd, client->look + client->n_seen, want, 0);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            fail("the relay hung up");
        }
        if (is_done) {
            continue;
        }
        if (is_skipping) {
            client->rest -= (uint64_t)n;
            if (client->rest == 0) {
                message_ended(crowd, client);
            }
        } else {
            client->n_seen += (size_t)n;
            look_at(crowd, client);
        }
    }
}

/* --- coming and going ----------------------------------------------------------------------- */

static void start(struct crowd *crowd, struct client *client)
{
    uint8_t seed[SIGN_SEED_SIZE] = {0};
    struct epoll_event want = {.events = EPOLLIN | EPOLLET, .data.ptr = client};
    int on = 1;
    memcpy(seed, &crowd->n_started, sizeof(crowd->n_started));
    crowd->n_started++;
    sign_key_from_seed(&client->key, seed);
    client->look = base_alloc(LOOK_SIZE);
    client->start_us = now_us();
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        fail("socket (ulimit -n says how many there may be)");
    }
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(client->fd, (const void *)&crowd->relay, sizeof(crowd->relay)) < 0) {
        fail("connect");
    }
    (void)fcntl(client->fd, F_SETFL, O_NONBLOCK);
    write_all(client, STR("GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\n"
                          "Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
    if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, client->fd, &want) < 0) {
        fail("epoll_ctl");
    }
}

static void wait_once(struct crowd *crowd)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(crowd->epoll, events, EVENTS_MAX, TICK_MS);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr != NULL) {
            on_readable(crowd, events[i].data.ptr);
            arena_clear(crowd->a);
        }
    }
}

/* Everybody's pings, evenly: a part of the crowd each time. */
static void ping(struct crowd *crowd)
{
    size_t due = (size_t)((uint64_t)now_us() % PING_US * crowd->n / PING_US);
    for (; crowd->n_pinged != due; crowd->n_pinged = (crowd->n_pinged + 1) % crowd->n) {
        if (crowd->clients[crowd->n_pinged].step == STEP_JOINED) {
            say(crowd, &crowd->clients[crowd->n_pinged], STR("2"));
        }
    }
    arena_clear(crowd->a);
}

static void join_all(struct crowd *crowd)
{
    int64_t start_us = now_us();
    while (crowd->n_joined < crowd->n) {
        while (crowd->n_started < crowd->n && crowd->n_started - crowd->n_joined < JOINING_MAX) {
            start(crowd, &crowd->clients[crowd->n_started]);
        }
        wait_once(crowd);
        ping(crowd);
    }
    printf("joined %zu %" PRId64 "\n", crowd->n, now_us() - start_us);
    (void)fflush(stdout);
}

static void newcomer(struct crowd *crowd)
{
    struct client client = {0};
    start(crowd, &client);
    while (client.step != STEP_JOINED) {
        wait_once(crowd);
        ping(crowd);
    }
    printf("new %" PRId64 "\n", now_us() - client.start_us);
    (void)fflush(stdout);
    (void)close(client.fd);
}

/* False: stdin has ended. */
static bool obey(struct crowd *crowd)
{
    char words[64];
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&in, 1, 0) <= 0) {
        return true;
    }
    ssize_t n = read(STDIN_FILENO, words, sizeof(words));
    for (ssize_t i = 0; i < n; i++) {
        if (words[i] == '\n') {
            newcomer(crowd);
        }
    }
    return n > 0;
}

/* All the descriptors that the system lets us have. */
static void raise_descriptors(size_t n)
{
    struct rlimit limit = {0};
    rlim_t wanted = n + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        limit.rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
            fail("setrlimit (ulimit -Hn has to be above the number of clients)");
        }
    }
}

int main(int argc, char **argv)
{
    int64_t port = 0, n = 0;
    if (argc != 3 || !str_to_i64(str_of(argv[1]), &port) || !str_to_i64(str_of(argv[2]), &n) ||
        port < 1 || port > UINT16_MAX || n < 1) {
        (void)fprintf(stderr, "usage: crowd PORT CLIENTS\n");
        return 2;
    }
    crypto_start();
    raise_descriptors((size_t)n);
    struct crowd crowd = {
        .relay = {.sin_family = AF_INET,
                  .sin_port = htons((uint16_t)port),
                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .a = arena_new(),
        .clients = base_alloc((size_t)n * sizeof(struct client)),
        .n = (size_t)n,
    };
    struct epoll_event in = {.events = EPOLLIN};
    (void)epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &in); /* a file ends at once, too */
    join_all(&crowd);
    while (obey(&crowd)) {
        wait_once(&crowd);
        ping(&crowd);
    }
    for (size_t i = 0; i < crowd.n; i++) {
        (void)close(crowd.clients[i].fd);
    }
    (void)close(crowd.epoll);
    base_free(crowd.clients);
    arena_free(crowd.a);
    return 0;
}
