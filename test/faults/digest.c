/* FNV-1a over the rows, table by table. */
#include "test/faults/digest.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { WHY_MAX = 300 };

static void mix(uint64_t *digest, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        *digest = (*digest ^ p[i]) * 1099511628211u;
    }
}

static int rows_mix(sqlite3 *db, const char *sql, uint64_t *digest)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            int type = sqlite3_column_type(stmt, i);
            const void *value = sqlite3_column_blob(stmt, i);
            mix(digest, &type, sizeof(type));
            mix(digest, value, (size_t)sqlite3_column_bytes(stmt, i));
        }
    }
    int ended = sqlite3_finalize(stmt);
    return rc != SQLITE_OK ? rc : ended;
}

static bool is_whole(sqlite3 *db, char *why)
{
    sqlite3_stmt *stmt = NULL;
    const char *said = NULL;
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        said = (const char *)sqlite3_column_text(stmt, 0);
    }
    bool ok = said != NULL && strcmp(said, "ok") == 0;
    (void)snprintf(why, WHY_MAX, "integrity_check says %s",
                   said != NULL ? said : sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    return ok;
}

static bool tables_mix(sqlite3 *db, uint64_t *digest)
{
    sqlite3_stmt *list = NULL;
    bool ok = sqlite3_prepare_v2(db,
                                 "SELECT name FROM sqlite_master WHERE type = 'table' AND name "
                                 "NOT LIKE 'search%' ORDER BY name",
                                 -1, &list, NULL) == SQLITE_OK;
    while (ok && sqlite3_step(list) == SQLITE_ROW) {
        char sql[WHY_MAX];
        (void)snprintf(sql, sizeof(sql), "SELECT * FROM %s", sqlite3_column_text(list, 0));
        mix(digest, sql, strlen(sql));
        ok = rows_mix(db, sql, digest) == SQLITE_OK;
    }
    sqlite3_finalize(list);
    return ok && rows_mix(db, "PRAGMA user_version", digest) == SQLITE_OK;
}

bool digest_read(const struct disk *disk, const char *path, uint64_t *digest, const char **why)
{
    static char said[WHY_MAX];
    sqlite3 *db = NULL;
    *digest = 14695981039346656037u;
    *why = said;
    bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, disk_name(disk)) == SQLITE_OK &&
              is_whole(db, said);
    if (ok && !tables_mix(db, digest)) {
        (void)snprintf(said, sizeof(said), "its tables do not read: %s", sqlite3_errmsg(db));
        ok = false;
    }
    sqlite3_close(db);
    return ok;
}
