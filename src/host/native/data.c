/* The data directory. One process at a time: the lock is advisory (flock) and dies with its
 * holder, so kill -9 leaves nothing to clean up. */
#define _GNU_SOURCE /* getrandom, flock */
#include "host/native/data.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_BYTES 32
#define PROBE_BYTES (1024 * 1024)

void data_random(void *out, size_t n)
{
    unsigned char *at = out;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            abort(); /* no randomness, no keys */
        }
        at += got;
        n -= (size_t)got;
    }
}

bool data_write(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t wrote = write(fd, at, n);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return false;
        }
        at += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

/* The first line of a small file, without its end. False: errno says why, 0 for an empty one. */
static bool line_read(const char *path, char *out, size_t size)
{
    size_t n = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    while (n < size - 1 && (got = read(fd, out + n, size - 1 - n)) > 0) {
        n += (size_t)got;
    }
    int problem = got < 0 ? errno : 0;
    close(fd);
    out[n] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    errno = problem;
    return got >= 0 && out[0] != '\0';
}

/* Written aside and renamed, so that a crash leaves no half token. */
static bool token_make(const char *path)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[TOKEN_BYTES];
    char text[2 * TOKEN_BYTES + 1], aside[DATA_PATH_MAX + 8];
    data_random(bytes, sizeof(bytes));
    for (size_t i = 0; i < TOKEN_BYTES; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * TOKEN_BYTES] = '\n';
    snprintf(aside, sizeof(aside), "%s.new", path);
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool ok = data_write(fd, text, sizeof(text)) && fsync(fd) == 0;
    close(fd);
    return ok && rename(aside, path) == 0;
}

static bool lock_take(struct data *out, const char *path, const char *dir, char *why)
{
    out->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (out->lock_fd < 0) {
        return DATA_REFUSE(why, "Cannot write in %s: %s.", dir, strerror(errno));
    }
    if (flock(out->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        close(out->lock_fd);
        return DATA_REFUSE(
            why, "%s is in use by another neurite; each needs a directory of its own.", dir);
    }
    char pid[24];
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(out->lock_fd, 0) != 0 || !data_write(out->lock_fd, pid, (size_t)n)) {
        /* A full disk is no reason not to run: `neurite stop` does not find us then. */
        (void)ftruncate(out->lock_fd, 0);
    }
    return true;
}

bool data_stop(const char *dir, char *why)
{
    char path[DATA_PATH_MAX], line[24];
    if ((size_t)snprintf(path, sizeof(path), "%s/lock", dir) >= sizeof(path)) {
        return DATA_REFUSE(why, "The name of the data directory is too long.");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return DATA_REFUSE(why, "No neurite has run in %s: %s.", dir, strerror(errno));
    }
    bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    long pid = !is_free && line_read(path, line, sizeof(line)) ? strtol(line, NULL, 10) : 0;
    bool ok = !is_free && pid > 1 && kill((pid_t)pid, SIGTERM) == 0;
    if (is_free) {
        (void)DATA_REFUSE(why, "No neurite runs in %s.", dir);
    } else if (!ok) {
        (void)DATA_REFUSE(why, "The neurite in %s cannot be ended from here; send it SIGTERM.",
                          dir);
    } else {
        ok = flock(fd, LOCK_EX) == 0; /* granted when it is gone */
    }
    close(fd);
    return ok;
}

static bool secrets_read(struct data *out, const char *token_path, const char *secret_file,
                         char *why)
{
    if (access(token_path, F_OK) != 0 && !token_make(token_path)) {
        return DATA_REFUSE(why, "Cannot make %s: %s.", token_path, strerror(errno));
    }
    if (!line_read(token_path, out->admin_token, sizeof(out->admin_token))) {
        return DATA_REFUSE(why, "Cannot read a token from %s: %s.", token_path,
                           errno == 0 ? "it is empty" : strerror(errno));
    }
    if (secret_file != NULL &&
        !line_read(secret_file, out->registration_secret, sizeof(out->registration_secret))) {
        return DATA_REFUSE(why, "Cannot read a secret from %s: %s.", secret_file,
                           errno == 0 ? "it is empty" : strerror(errno));
    }
    return true;
}

bool data_open(struct data *out, const char *dir, const char *secret_file, char *why)
{
    char lock_path[DATA_PATH_MAX], token_path[DATA_PATH_MAX];
    memset(out, 0, sizeof(*out));
    if (strlen(dir) > DATA_PATH_MAX - 32) {
        return DATA_REFUSE(why, "The name of the data directory is too long.");
    }
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return DATA_REFUSE(why, "Cannot make the data directory %s: %s.", dir, strerror(errno));
    }
    snprintf(lock_path, sizeof(lock_path), "%s/lock", dir);
    snprintf(token_path, sizeof(token_path), "%s/admin-token", dir);
    snprintf(out->db_path, sizeof(out->db_path), "%s/neurite.db", dir);
    snprintf(out->probe_path, sizeof(out->probe_path), "%s/probe", dir);
    snprintf(out->address_path, sizeof(out->address_path), "%s/address", dir);
    if (!lock_take(out, lock_path, dir, why)) {
        return false;
    }
    if (!secrets_read(out, token_path, secret_file, why)) {
        data_close(out);
        return false;
    }
    return true;
}

void data_close(struct data *data)
{
    close(data->lock_fd);
}

void data_tell_address(const struct data *data, const char *address)
{
    int fd = open(data->address_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)data_write(fd, address, strlen(address)); /* a full disk is no reason not to run */
        close(fd);
    }
}

bool data_find(struct data_door *out, const char *dir, char *why)
{
    char path[DATA_PATH_MAX];
    if (strlen(dir) > DATA_PATH_MAX - 32) {
        return DATA_REFUSE(why, "The name of the data directory is too long.");
    }
    snprintf(path, sizeof(path), "%s/address", dir);
    if (!line_read(path, out->address, sizeof(out->address))) {
        return DATA_REFUSE(why, "No neurite has run in %s.", dir);
    }
    snprintf(path, sizeof(path), "%s/admin-token", dir);
    return line_read(path, out->token, sizeof(out->token)) ||
           DATA_REFUSE(why, "Cannot read a token from %s.", path);
}

bool data_has_room(const struct data *data)
{
    static const char zeros[64 * 1024];
    int fd = open(data->probe_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool ok = true;
    for (size_t n = 0; n < PROBE_BYTES && ok; n += sizeof(zeros)) {
        ok = data_write(fd, zeros, sizeof(zeros));
    }
    ok = ok && fsync(fd) == 0;
    close(fd);
    unlink(data->probe_path);
    return ok;
}
