#include "host/wasm/vfs.h"
#include "test/test.h"

#include <sqlite3.h>

/* The durable copy, as the worker keeps one: nothing but flushed pages gets into it. */
struct disk {
    struct image *image;
    struct vfs *vfs;
    sqlite3 *db;
    struct image *durable;
};

static void counting_random(void *out, size_t n)
{
    memset(out, 7, n);
}

static int exec(struct disk *disk, const char *sql)
{
    return sqlite3_exec(disk->db, sql, NULL, NULL, NULL);
}

static void disk_open(struct disk *disk)
{
    disk->vfs = vfs_new(VFS_NAME, disk->image, counting_random);
    CHECK(sqlite3_open_v2("neurite.db", &disk->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                          VFS_NAME) == SQLITE_OK);
    CHECK(exec(disk, "PRAGMA journal_mode=MEMORY; PRAGMA cache_spill=0; PRAGMA temp_store=3;"
                     "PRAGMA cache_size=-512;") == SQLITE_OK);
}

static struct disk disk_new(void)
{
    struct disk disk = {.image = image_new(), .durable = image_new()};
    disk_open(&disk);
    CHECK(exec(&disk, "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)") == SQLITE_OK);
    return disk;
}

static void disk_close(struct disk *disk)
{
    sqlite3_close(disk->db);
    vfs_free(disk->vfs);
    image_free(disk->image);
}

static void disk_free(struct disk *disk)
{
    disk_close(disk);
    image_free(disk->durable);
}

/* Returns the pages that went. */
static uint32_t flush(struct disk *disk)
{
    uint32_t n;
    image_flush_begin(disk->image);
    const uint32_t *pages = image_flush_pages(disk->image, &n);
    for (uint32_t i = 0; i < n; i++) {
        CHECK(image_write(disk->durable, (uint64_t)pages[i] * IMAGE_PAGE,
                          image_page(disk->image, pages[i]), IMAGE_PAGE));
    }
    image_truncate(disk->durable, image_size(disk->image));
    image_flush_end(disk->image, true);
    return n;
}

/* The process dies: what was not flushed is gone. */
static void crash(struct disk *disk)
{
    disk_close(disk);
    disk->image = image_new();
    uint32_t size = image_size(disk->durable);
    for (uint32_t at = 0; at < size; at += IMAGE_EXTENT) {
        uint32_t index = at / IMAGE_EXTENT;
        (void)image_read(disk->durable, at, image_extent(disk->image, index), IMAGE_EXTENT);
    }
    CHECK(image_loaded(disk->image, size));
    disk_open(disk);
}

static sqlite3_int64 ask(struct disk *disk, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    CHECK(sqlite3_prepare_v2(disk->db, sql, -1, &statement, NULL) == SQLITE_OK);
    sqlite3_int64 value =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    return value;
}

TEST(a_flushed_transaction_survives_a_crash_and_a_later_one_does_not)
{
    struct disk disk = disk_new();
    CHECK(exec(&disk, "INSERT INTO t(v) VALUES('one')") == SQLITE_OK);
    CHECK(flush(&disk) > 0);
    CHECK(exec(&disk, "INSERT INTO t(v) VALUES('two')") == SQLITE_OK);
    CHECK(image_is_dirty(disk.image));
    crash(&disk);
    CHECK(ask(&disk, "SELECT count(*) FROM t") == 1);
    CHECK(ask(&disk, "SELECT v = 'one' FROM t") == 1);
    disk_free(&disk);
}

TEST(a_small_commit_dirties_a_few_pages_of_a_large_database)
{
    struct disk disk = disk_new();
    CHECK(exec(&disk, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500)"
                      "INSERT INTO t SELECT i, zeroblob(3900) FROM n") == SQLITE_OK);
    CHECK(flush(&disk) >= 500);
    CHECK(exec(&disk, "UPDATE t SET v = 'small' WHERE id = 250") == SQLITE_OK);
    CHECK(flush(&disk) <= 8);
    crash(&disk);
    CHECK(ask(&disk, "SELECT v = 'small' FROM t WHERE id = 250") == 1);
    CHECK(ask(&disk, "SELECT count(*) FROM pragma_integrity_check "
                     "WHERE integrity_check <> 'ok'") == 0);
    disk_free(&disk);
}

TEST(a_read_only_transaction_dirties_nothing)
{
    struct disk disk = disk_new();
    (void)flush(&disk);
    CHECK(ask(&disk, "SELECT count(*) FROM t") == 0);
    CHECK(!image_is_dirty(disk.image));
    disk_free(&disk);
}

TEST(a_rolled_back_transaction_leaves_the_contents_as_they_were)
{
    struct disk disk = disk_new();
    CHECK(exec(&disk, "INSERT INTO t(v) VALUES('one')") == SQLITE_OK);
    (void)flush(&disk);
    CHECK(exec(&disk, "BEGIN; INSERT INTO t(v) VALUES(zeroblob(100000)); ROLLBACK") == SQLITE_OK);
    (void)flush(&disk);
    crash(&disk);
    CHECK(ask(&disk, "SELECT count(*) FROM t") == 1);
    disk_free(&disk);
}

TEST(a_vacuum_shrinks_the_durable_file_too)
{
    struct disk disk = disk_new();
    CHECK(exec(&disk, "INSERT INTO t(v) VALUES(zeroblob(3000000)), ('kept')") == SQLITE_OK);
    (void)flush(&disk);
    CHECK(exec(&disk, "DELETE FROM t WHERE id = 1; VACUUM") == SQLITE_OK);
    (void)flush(&disk);
    CHECK(image_size(disk.durable) < 100000);
    crash(&disk);
    CHECK(ask(&disk, "SELECT v = 'kept' FROM t") == 1);
    disk_free(&disk);
}

TEST(a_full_image_is_a_full_disk_and_the_database_lives_on)
{
    struct disk disk = disk_new();
    CHECK(exec(&disk, "INSERT INTO t(v) VALUES('first')") == SQLITE_OK);
    int rc = SQLITE_OK;
    for (int i = 0; i < 10 && rc == SQLITE_OK; i++) {
        rc = exec(&disk, "INSERT INTO t(v) VALUES(zeroblob(40000000))");
    }
    CHECK(rc == SQLITE_FULL);
    CHECK(ask(&disk, "SELECT count(*) FROM t") == 7); /* 6 of 40 MB went in */
    CHECK(exec(&disk, "UPDATE t SET v = 'still' WHERE id = 1") == SQLITE_OK);
    disk_free(&disk);
}

TEST(a_damaged_file_is_reported_not_repaired)
{
    struct disk disk = disk_new();
    (void)flush(&disk);
    CHECK(image_write(disk.durable, 0, "not a database at all", 21));
    disk_close(&disk);
    disk.image = disk.durable;
    disk.durable = image_new();
    disk.vfs = vfs_new(VFS_NAME, disk.image, counting_random);
    CHECK(sqlite3_open_v2("neurite.db", &disk.db, SQLITE_OPEN_READWRITE, VFS_NAME) == SQLITE_OK);
    CHECK(exec(&disk, "SELECT count(*) FROM t") == SQLITE_NOTADB);
    disk_free(&disk);
}

TEST(a_file_system_without_an_image_opens_nothing)
{
    struct vfs *vfs = vfs_new("none", NULL, counting_random);
    sqlite3 *db = NULL;
    CHECK(sqlite3_open_v2("neurite.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "none") ==
          SQLITE_CANTOPEN);
    sqlite3_close(db);
    vfs_free(vfs);
}

TEST_MAIN(TEST_ROW(a_flushed_transaction_survives_a_crash_and_a_later_one_does_not),
          TEST_ROW(a_small_commit_dirties_a_few_pages_of_a_large_database),
          TEST_ROW(a_read_only_transaction_dirties_nothing),
          TEST_ROW(a_rolled_back_transaction_leaves_the_contents_as_they_were),
          TEST_ROW(a_vacuum_shrinks_the_durable_file_too),
          TEST_ROW(a_full_image_is_a_full_disk_and_the_database_lives_on),
          TEST_ROW(a_damaged_file_is_reported_not_repaired),
          TEST_ROW(a_file_system_without_an_image_opens_nothing))
