/* Plain sockets: the library adopts them. */
#define _GNU_SOURCE /* SOCK_CLOEXEC, accept4 */
#include "host/native/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

int listener_open(const char *address, uint16_t port, uint16_t *chosen)
{
    union socket_address at;
    int on = 1;
    memset(&at, 0, sizeof(at));
    bool is_v4 = inet_pton(AF_INET, address, &at.v4.sin_addr) == 1;
    at.any.sa_family = is_v4 ? AF_INET : AF_INET6;
    if (is_v4) {
        at.v4.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, address, &at.v6.sin6_addr) == 1) {
        at.v6.sin6_port = htons(port);
    }
    socklen_t size = is_v4 ? sizeof(at.v4) : sizeof(at.v6);
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &at.any, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &at.any, &size) != 0) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    *chosen = ntohs(is_v4 ? at.v4.sin_port : at.v6.sin6_port);
    return fd;
}

bool address_is_here(const struct address *address)
{
    return strcmp(address->text, "127.0.0.1") == 0 || strcmp(address->text, "::1") == 0;
}

int listener_accept(int listener, struct address *from)
{
    union socket_address at;
    socklen_t size = sizeof(at);
    memset(&at, 0, sizeof(at));
    memset(from, 0, sizeof(*from));
    int fd = accept4(listener, &at.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        const void *bytes = at.any.sa_family == AF_INET ? (const void *)&at.v4.sin_addr
                                                        : (const void *)&at.v6.sin6_addr;
        (void)inet_ntop(at.any.sa_family, bytes, from->text, sizeof(from->text));
    }
    return fd;
}

int connector_open(const unsigned char *bytes, size_t n, uint16_t port)
{
    union socket_address at;
    int on = 1;
    bool is_v4 = n == 4;
    memset(&at, 0, sizeof(at));
    at.any.sa_family = is_v4 ? AF_INET : AF_INET6;
    if (is_v4) {
        memcpy(&at.v4.sin_addr, bytes, 4);
        at.v4.sin_port = htons(port);
    } else {
        memcpy(&at.v6.sin6_addr, bytes, 16);
        at.v6.sin6_port = htons(port);
    }
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (fd >= 0 && connect(fd, &at.any, is_v4 ? sizeof(at.v4) : sizeof(at.v6)) != 0 &&
        errno != EINPROGRESS) {
        int problem = errno;
        close(fd);
        errno = problem;
        return -1;
    }
    return fd;
}

int connector_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}
