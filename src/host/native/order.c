/* One request to the running homeserver over its own port, with the token of its directory. */
#define _GNU_SOURCE /* getaddrinfo */
#include "host/native/order.h"

#include "base/buf.h"
#include "base/limits.h"
#include "host/native/data.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 16 * 1024 };

/* "ADDRESS PORT"; -1: nobody answers there. */
static int dial(const char *door)
{
    char address[DATA_SECRET_MAX];
    struct addrinfo wanted = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                              .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    snprintf(address, sizeof(address), "%s", door);
    char *space = strchr(address, ' ');
    if (space == NULL) {
        return -1;
    }
    *space = '\0';
    if (getaddrinfo(address, space + 1, &wanted, &found) != 0) {
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void request_write(struct buf *out, const struct config *config, const char *token)
{
    size_t length = 0;
    for (size_t i = 0; i < config->n_words; i++) {
        length += strlen(config->words[i]) + 1;
    }
    buf_add_fmt(out,
                "POST /_neurite/admin HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
                "authorization: Bearer %s\r\ncontent-length: %zu\r\n\r\n",
                token, length);
    for (size_t i = 0; i < config->n_words; i++) {
        buf_add(out, str_of(config->words[i]));
        buf_add_char(out, '\n');
    }
}

static bool answer_read(int fd, struct buf *answer)
{
    ssize_t got = 1;
    while (got > 0) {
        unsigned char *room = buf_reserve(answer, READ_BYTES);
        if (room == NULL) {
            return false;
        }
        got = read(fd, room, READ_BYTES);
        answer->n += got > 0 ? (size_t)got : 0;
    }
    return got == 0;
}

static bool print(struct str answer)
{
    const char *head_end = memmem(answer.p, answer.n, "\r\n\r\n", 4);
    if (head_end == NULL || !str_starts(answer, STR("HTTP/1.1 "))) {
        fputs("neurite: the homeserver gave no answer\n", stderr);
        return false;
    }
    bool ok = str_starts(answer, STR("HTTP/1.1 200 "));
    struct str body = str_from(answer, (size_t)(head_end - answer.p) + 4);
    fputs(ok ? "" : "neurite: ", ok ? stdout : stderr);
    fwrite(body.p, 1, body.n, ok ? stdout : stderr);
    return ok;
}

bool order_run(const struct config *config)
{
    struct data_door door;
    struct buf request, answer;
    char why[DATA_SENTENCE_MAX];
    if (!data_find(&door, config->data, why)) {
        fprintf(stderr, "neurite: %s\n", why);
        return false;
    }
    int fd = dial(door.address);
    if (fd < 0) {
        fprintf(stderr, "neurite: No neurite runs in %s.\n", config->data);
        return false;
    }
    buf_init(&request, HTTP_HEAD_MAX);
    buf_init(&answer, HTTP_ANSWER_MAX + HTTP_HEAD_MAX);
    request_write(&request, config, door.token);
    bool ok = !request.overflow && data_write(fd, request.p, request.n) && answer_read(fd, &answer);
    close(fd);
    ok = print(ok ? buf_str(&answer) : STR(""));
    buf_release(&request);
    buf_release(&answer);
    return ok;
}
