/* A homeserver leaves its directory as one file, or comes into one. Whatever fails half-way, the
 * database is either where it was or where it shall be, and a second try goes on from there. */
#define _GNU_SOURCE /* fsync */
#include "host/native/moving.h"

#include "host/native/data.h"
#include "host/native/log.h"
#include "host/native/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS_MAX 100
#define PATH_MAX_BYTES (DATA_PATH_MAX + 64)
#define COPY_BYTES (64 * 1024)

static bool fail(const char *format, ...) PRINTF_LIKE(1, 2);

static bool fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("neurite: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

/* --- a core without sockets ------------------------------------------------------------------- */

static void host_random(void *ctx, void *out, size_t size)
{
    (void)ctx;
    data_random(out, size);
}

static void host_log(void *ctx, enum log_level level, struct str line)
{
    (void)ctx;
    if (level <= LOG_WARN) {
        log_line(level, process_now().unix_ms, line);
    }
}

static enum err core_open(struct hs **hs, const char *db_path, bool is_import, const char **why)
{
    struct host host = {.random = host_random, .log = host_log};
    struct hs_config config = {
        .db_path = str_of(db_path),
        .server_name = STR(""),
        .build_id = STR(NEURITE_BUILD_ID),
        .admin_token = STR_ABSENT,
        .registration_secret = STR_ABSENT,
        .is_import = is_import,
    };
    return hs_open(hs, &config, &host, process_now(), why);
}

/* Asks once, and gives the status when all of it is durable; 0: no answer came. */
static int core_ask(struct hs *hs, struct str head)
{
    struct effect effect;
    int status = 0;
    hs_request(hs, process_now(), 1, head, STR(""));
    for (int step = 0; step < STEPS_MAX && status == 0; step++) {
        hs_turn(hs, process_now());
        while (hs_next(hs, &effect)) {
            if (effect.kind == EFFECT_FLUSH) {
                hs_flushed(hs, process_now(), effect.id, true); /* the commit has synced */
            } else if (effect.kind == EFFECT_RESPOND) {
                status = effect.status;
            } else if (effect.kind == EFFECT_RESTART) {
                return 0;
            }
        }
    }
    return status;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void beside(char out[PATH_MAX_BYTES], const char *path, const char *suffix)
{
    int n = snprintf(out, PATH_MAX_BYTES, "%s%s", path, suffix);
    assert(n > 0 && n < PATH_MAX_BYTES); /* names were measured where they came in */
}

/* What was renamed is durable when its directory is. */
static void folder_sync(const char *path)
{
    char folder[PATH_MAX_BYTES];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        snprintf(folder, sizeof(folder), ".");
    } else {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

static bool bytes_copy(int from, int to)
{
    char bytes[COPY_BYTES];
    ssize_t n;
    while ((n = read(from, bytes, sizeof(bytes))) > 0) {
        if (!data_write(to, bytes, (size_t)n)) {
            return false;
        }
    }
    return n == 0 && fsync(to) == 0;
}

/* errno says why not. */
static bool file_copy(const char *from, const char *to)
{
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0) {
        return false;
    }
    int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = target >= 0 && bytes_copy(source, target);
    int problem = errno;
    close(source);
    if (target >= 0) {
        close(target);
    }
    errno = problem;
    return ok;
}

/* A database without its log: sqlite has written that back and removed it at the end. */
static bool is_whole(const char *db_path)
{
    char wal[PATH_MAX_BYTES];
    struct stat stat_of;
    beside(wal, db_path, "-wal");
    return stat(wal, &stat_of) != 0 || stat_of.st_size == 0;
}

/* Bytes 18 and 19 of a database file say whether a log belongs to it (sqlite.org/fileformat2.html,
 * "File format version numbers"). None belongs to an export: a browser keeps no such log. */
static bool log_disown(const char *path)
{
    static const char without[2] = {1, 1};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && pwrite(fd, without, sizeof(without), 18) == (ssize_t)sizeof(without) &&
              fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static void database_remove(const char *db_path)
{
    static const char *const parts[] = {"-wal", "-shm", "-journal", ""};
    char path[PATH_MAX_BYTES];
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        beside(path, db_path, parts[i]);
        (void)unlink(path);
    }
    folder_sync(db_path);
}

/* --- the commands ------------------------------------------------------------------------------
 */

/* Marks the database, unless an export before this one did. */
static bool mark(const char *db_path)
{
    struct hs *hs;
    const char *why = "";
    enum err err = core_open(&hs, db_path, false, &why);
    if (err == ERR_REFUSED) {
        return true;
    }
    if (err != ERR_NONE) {
        return fail("cannot open %s: %s (%s)", db_path, why, err_name(err));
    }
    int status = core_ask(hs, STR("POST /_neurite/move HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    hs_close(hs);
    return status == 200 || fail("cannot write %s; is the disk full?", db_path);
}

static bool export_run(const struct config *config, const struct data *data)
{
    char part[PATH_MAX_BYTES];
    if (strlen(config->file) >= DATA_PATH_MAX) {
        return fail("The name of the file is too long.");
    }
    if (!is_there(data->db_path)) {
        return fail("There is no homeserver in %s.", config->data);
    }
    if (is_there(config->file)) {
        return fail("%s is there already; choose another name.", config->file);
    }
    /* What the file shall be is tried before anything is changed. */
    beside(part, config->file, ".part");
    if (!file_copy(data->db_path, part)) {
        return fail("Cannot write %s: %s.", part, strerror(errno));
    }
    bool ok = mark(data->db_path);
    if (ok && (!is_whole(data->db_path) || !file_copy(data->db_path, part) || !log_disown(part) ||
               rename(part, config->file) != 0)) {
        ok = fail("Cannot write %s: %s. The homeserver rests; export it again, to another file.",
                  config->file, strerror(errno));
    }
    if (!ok) {
        (void)unlink(part);
        return false;
    }
    folder_sync(config->file);
    printf("The homeserver is in %s, with its key: keep it safe, and import it once.\n"
           "It does not run from %s any more.\n",
           config->file, config->data);
    return true;
}

/* Only a homeserver that has moved makes room for another one; it is kept beside. */
static bool make_room(const struct config *config, const struct data *data)
{
    char aside[PATH_MAX_BYTES];
    struct hs *hs;
    const char *why = "";
    if (!is_there(data->db_path)) {
        return true;
    }
    enum err err = core_open(&hs, data->db_path, false, &why);
    hs_close(hs);
    if (err == ERR_NONE) {
        return fail("%s has a homeserver already: export or reset that one first.", config->data);
    }
    if (err != ERR_REFUSED) {
        return fail("%s has a database that cannot be opened: %s.", config->data, why);
    }
    snprintf(aside, sizeof(aside), "%s.moved-%lld", data->db_path,
             (long long)process_now().unix_ms);
    return rename(data->db_path, aside) == 0 ||
           fail("Cannot rename %s: %s.", data->db_path, strerror(errno));
}

static bool import_run(const struct config *config, const struct data *data)
{
    char fresh[PATH_MAX_BYTES];
    struct hs *hs;
    const char *why = "";
    beside(fresh, data->db_path, ".import");
    if (!file_copy(config->file, fresh)) {
        bool is_source = !is_there(config->file) || access(config->file, R_OK) != 0;
        (void)fail("Cannot %s %s: %s.", is_source ? "read" : "copy", config->file, strerror(errno));
        database_remove(fresh);
        return false;
    }
    enum err err = core_open(&hs, fresh, true, &why);
    if (err != ERR_NONE) {
        database_remove(fresh);
        return fail("cannot import %s: %s (%s)", config->file, why, err_name(err));
    }
    char name[256];
    snprintf(name, sizeof(name), "%.*s", STR_ARG(hs_server_name(hs)));
    hs_close(hs);
    if (!is_whole(fresh) || !make_room(config, data)) {
        database_remove(fresh);
        return false;
    }
    if (rename(fresh, data->db_path) != 0) {
        return fail("Cannot rename %s: %s.", fresh, strerror(errno));
    }
    folder_sync(data->db_path);
    printf("The homeserver %s lives in %s now.\n", name, config->data);
    return true;
}

static bool reset_run(const struct config *config, const struct data *data)
{
    if (!config->is_confirmed) {
        return fail("This deletes the homeserver in %s, its key and all it knows, for good. "
                    "Say --confirm reset if that is wanted.",
                    config->data);
    }
    if (!is_there(data->db_path)) {
        return fail("There is no homeserver in %s.", config->data);
    }
    database_remove(data->db_path);
    printf("The homeserver in %s is gone; the next start makes a new one.\n", config->data);
    return true;
}

static bool stop_run(const struct config *config)
{
    char why[DATA_SENTENCE_MAX];
    if (!data_stop(config->data, why)) {
        return fail("%s", why);
    }
    printf("The homeserver in %s has ended.\n", config->data);
    return true;
}

bool moving_run(const struct config *config)
{
    struct data data;
    char why[DATA_SENTENCE_MAX];
    bool ok = false;
    if (config->command == COMMAND_STOP) {
        return stop_run(config);
    }
    if (config->command != COMMAND_IMPORT && !is_there(config->data)) {
        return fail("There is no directory %s.", config->data);
    }
    if (!data_open(&data, config->data, NULL, why)) {
        return fail("%s", why);
    }
    switch (config->command) {
    case COMMAND_EXPORT:
        ok = export_run(config, &data);
        break;
    case COMMAND_IMPORT:
        ok = import_run(config, &data);
        break;
    case COMMAND_RESET:
        ok = reset_run(config, &data);
        break;
    case COMMAND_SERVE:
    case COMMAND_STOP:
    case COMMAND_ADMIN:
        break;
    }
    data_close(&data);
    return ok;
}
