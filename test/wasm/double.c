/* A core that misbehaves on request: src/hs/hs.h over one table of notes, for tests of the worker
 * and of the module's exports. It knows just enough HTTP to read a path.
 *
 *   GET  /_matrix/client/versions   200
 *   PUT  /_matrix/note/<name>       stores the body; the answer waits for the flush
 *   GET  /_matrix/note/<name>       200 and the body, or 404
 *   POST /_matrix/fill/<bytes>      stores so many random bytes
 *   GET  /_matrix/relays            those of the configuration, a line each
 *   POST /_matrix/head              answers with the request's own head
 *   GET  /_matrix/park              answered when a note is next stored
 *   POST /_matrix/trap              traps; so does /_matrix/abort, by an assertion
 *   POST /_matrix/die               commits nothing and asks for a restart
 *   POST /_matrix/dial  (body: url) opens a link; what the link says is echoed to it and stored as
 *                                   the note "heard"; POST /_matrix/say sends the body on it
 *   GET  /_neurite/status           {"server_name":"double","notes":N} */
#include "base/buf.h"
#include "hs/hs.h"

#include <sqlite3.h>
#include <string.h>

enum { QUEUE_MAX = 256, PARKED_MAX = 64, BODY_MAX = 2 * 1024 * 1024 };

struct queued {
    struct effect effect;
    struct buf head, bytes;
    uint64_t turn; /* leaves when this turn is durable */
};

struct hs {
    sqlite3 *db;
    struct host host;
    struct queued queue[QUEUE_MAX];
    size_t first, count;
    uint64_t turn, durable, flushing;
    uint64_t parked[PARKED_MAX];
    size_t parked_n;
    uint64_t link, next_link;
    bool open_turn, wrote, dead, read_only;
    struct buf out_head, out_bytes, relays;
};

static const char greeting[] = "the double is open";

static bool exec(struct hs *hs, const char *sql)
{
    return sqlite3_exec(hs->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static struct queued *push(struct hs *hs, enum effect_kind kind, uint64_t id)
{
    assert(hs->count < QUEUE_MAX);
    struct queued *q = &hs->queue[(hs->first + hs->count++) % QUEUE_MAX];
    *q = (struct queued){.effect = {.kind = kind, .id = id},
                         .turn = hs->turn + (hs->wrote ? 1u : 0u)};
    buf_init(&q->head, BODY_MAX);
    buf_init(&q->bytes, BODY_MAX);
    return q;
}

static void answer(struct hs *hs, uint64_t id, int status, struct str body)
{
    struct queued *q = push(hs, EFFECT_RESPOND, id);
    q->effect.status = status;
    buf_add(&q->head, STR("content-type: application/json\r\n"));
    buf_add(&q->bytes, body);
}

enum err hs_open(struct hs **out, const struct hs_config *config, const struct host *host,
                 struct now now, const char **why)
{
    (void)now;
    struct hs *hs = base_alloc(sizeof(*hs));
    *out = NULL;
    *why = "";
    hs->host = *host;
    hs->read_only = config->read_only;
    hs->next_link = 1;
    buf_init(&hs->relays, BODY_MAX);
    for (size_t i = 0; i < config->relays.n; i++) {
        buf_add(&hs->relays, config->relays.at[i]);
        buf_add_char(&hs->relays, '\n');
    }
    buf_init(&hs->out_head, BODY_MAX);
    buf_init(&hs->out_bytes, BODY_MAX);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2("neurite.db", &hs->db, flags, config->vfs) != SQLITE_OK ||
        !exec(hs, "PRAGMA journal_mode=MEMORY; PRAGMA temp_store=MEMORY; PRAGMA cache_spill=0;") ||
        !exec(hs, "CREATE TABLE IF NOT EXISTS note(name TEXT PRIMARY KEY, body BLOB)")) {
        *why = "the database is damaged";
        hs_close(hs);
        return ERR_CORRUPT;
    }
    /* The schema may have been written: then nothing leaves before the first flush. */
    hs->turn = config->read_only ? 0 : 1;
    host->log(host->ctx, LOG_INFO, str_of(greeting));
    *out = hs;
    return ERR_NONE;
}

void hs_close(struct hs *hs)
{
    for (; hs->count > 0; hs->count--, hs->first++) {
        buf_release(&hs->queue[hs->first % QUEUE_MAX].head);
        buf_release(&hs->queue[hs->first % QUEUE_MAX].bytes);
    }
    sqlite3_close(hs->db);
    buf_release(&hs->out_head);
    buf_release(&hs->out_bytes);
    buf_release(&hs->relays);
    base_free(hs);
}

static bool note_put(struct hs *hs, struct str name, struct str body, int64_t random_bytes)
{
    sqlite3_stmt *put = NULL;
    if (!hs->open_turn) {
        hs->open_turn = exec(hs, "BEGIN");
    }
    const char *sql = random_bytes > 0 ? "REPLACE INTO note VALUES(?1, randomblob(?2))"
                                       : "REPLACE INTO note VALUES(?1, ?2)";
    if (sqlite3_prepare_v2(hs->db, sql, -1, &put, NULL) != SQLITE_OK) {
        return false;
    }
    sqlite3_bind_text(put, 1, name.p, (int)name.n, SQLITE_STATIC);
    if (random_bytes > 0) {
        sqlite3_bind_int64(put, 2, random_bytes);
    } else {
        sqlite3_bind_blob(put, 2, body.p, (int)body.n, SQLITE_STATIC);
    }
    bool ok = sqlite3_step(put) == SQLITE_DONE;
    sqlite3_finalize(put);
    hs->wrote |= ok;
    for (; ok && hs->parked_n > 0; hs->parked_n--) {
        answer(hs, hs->parked[hs->parked_n - 1], 200, STR("{\"woken\":true}"));
    }
    return ok;
}

static void note_get(struct hs *hs, uint64_t id, struct str name)
{
    sqlite3_stmt *get = NULL;
    int rc = sqlite3_prepare_v2(hs->db, "SELECT body FROM note WHERE name=?1", -1, &get, NULL);
    assert(rc == SQLITE_OK);
    (void)rc;
    sqlite3_bind_text(get, 1, name.p, (int)name.n, SQLITE_STATIC);
    if (sqlite3_step(get) == SQLITE_ROW) {
        const void *body = sqlite3_column_blob(get, 0);
        answer(hs, id, 200,
               str_make(body == NULL ? "" : body, (size_t)sqlite3_column_bytes(get, 0)));
    } else {
        answer(hs, id, 404, STR("{\"errcode\":\"M_NOT_FOUND\",\"error\":\"no such note\"}"));
    }
    sqlite3_finalize(get);
}

static void status_get(struct hs *hs, uint64_t id)
{
    sqlite3_stmt *get = NULL;
    struct buf json;
    int rc = sqlite3_prepare_v2(hs->db, "SELECT count(*) FROM note", -1, &get, NULL);
    assert(rc == SQLITE_OK);
    (void)rc;
    sqlite3_step(get);
    buf_init(&json, 256);
    buf_add(&json, STR("{\"server_name\":\"double\",\"notes\":"));
    buf_add_i64(&json, sqlite3_column_int64(get, 0));
    buf_add_char(&json, '}');
    sqlite3_finalize(get);
    answer(hs, id, 200, buf_str(&json));
    buf_release(&json);
}

static void store(struct hs *hs, uint64_t id, struct str name, struct str body,
                  int64_t random_bytes)
{
    if (hs->read_only) {
        answer(hs, id, 403,
               STR("{\"errcode\":\"M_RESOURCE_LIMIT_EXCEEDED\",\"error\":\"storage is full\","
                   "\"admin_contact\":\"\",\"limit_type\":\"storage\"}"));
    } else if (note_put(hs, name, body, random_bytes)) {
        answer(hs, id, 200, STR("{}"));
    } else {
        answer(hs, id, 500, STR("{\"errcode\":\"M_UNKNOWN\",\"error\":\"store\"}"));
    }
}

static void dial(struct hs *hs, uint64_t id, struct str url)
{
    hs->link = hs->next_link++;
    struct queued *q = push(hs, EFFECT_DIAL, hs->link);
    buf_add(&q->bytes, url);
    answer(hs, id, 200, STR("{}"));
}

static void say(struct hs *hs, struct str text)
{
    struct queued *q = push(hs, EFFECT_SEND, hs->link);
    q->effect.is_text = true;
    buf_add(&q->bytes, text);
}

void hs_request(struct hs *hs, struct now now, uint64_t id, struct str head, struct str body)
{
    struct str method = STR(""), path = STR(""), rest = head;
    int64_t n = 0;
    (void)now;
    (void)(str_cut(rest, ' ', &method, &rest) && str_cut(rest, ' ', &path, &rest));
    bool reads = str_eq(method, STR("GET"));
    if (str_starts(path, STR("/_matrix/note/"))) {
        struct str name = str_from(path, strlen("/_matrix/note/"));
        if (reads) {
            note_get(hs, id, name);
        } else {
            store(hs, id, name, body, 0);
        }
    } else if (str_starts(path, STR("/_matrix/fill/")) &&
               str_to_i64(str_from(path, strlen("/_matrix/fill/")), &n)) {
        store(hs, id, path, body, n);
    } else if (str_eq(path, STR("/_matrix/client/versions"))) {
        answer(hs, id, 200, STR("{\"versions\":[\"v1.1\"]}"));
    } else if (str_starts(path, STR("/_matrix/head"))) {
        answer(hs, id, 200, head);
    } else if (str_eq(path, STR("/_matrix/relays"))) {
        answer(hs, id, 200, buf_str(&hs->relays));
    } else if (str_eq(path, STR("/_neurite/status"))) {
        status_get(hs, id);
    } else if (str_eq(path, STR("/_matrix/park")) && hs->parked_n < PARKED_MAX) {
        hs->parked[hs->parked_n++] = id;
    } else if (str_starts(path, STR("/_matrix/trap"))) {
        __builtin_trap();
    } else if (str_eq(path, STR("/_matrix/abort"))) {
        assert(str_is_empty(path));
    } else if (str_eq(path, STR("/_matrix/die"))) {
        hs->dead = true;
    } else if (str_eq(path, STR("/_matrix/dial"))) {
        dial(hs, id, body);
    } else if (str_eq(path, STR("/_matrix/say"))) {
        say(hs, body);
        answer(hs, id, 200, STR("{}"));
    } else {
        answer(hs, id, 404, STR("{\"errcode\":\"M_UNRECOGNIZED\",\"error\":\"unknown\"}"));
    }
}

void hs_request_gone(struct hs *hs, struct now now, uint64_t id)
{
    (void)now;
    for (size_t i = 0; i < hs->parked_n; i++) {
        if (hs->parked[i] == id) {
            hs->parked[i] = hs->parked[--hs->parked_n];
        }
    }
}

void hs_link_up(struct hs *hs, struct now now, uint64_t link)
{
    (void)now;
    (void)link;
    (void)note_put(hs, STR("link"), STR("up"), 0);
}

void hs_link_message(struct hs *hs, struct now now, uint64_t link, struct str message, bool is_text)
{
    (void)now;
    (void)link;
    (void)note_put(hs, is_text ? STR("heard") : STR("heard-bytes"), message, 0);
}

void hs_link_room(struct hs *hs, struct now now, uint64_t link, size_t room)
{
    struct buf text;
    (void)now;
    (void)link;
    buf_init(&text, 64);
    buf_add_i64(&text, (int64_t)room);
    (void)note_put(hs, STR("room"), buf_str(&text), 0);
    buf_release(&text);
}

void hs_link_down(struct hs *hs, struct now now, uint64_t link, struct str why)
{
    (void)now;
    (void)link;
    (void)why;
    (void)note_put(hs, STR("link"), STR("down"), 0);
}

void hs_flushed(struct hs *hs, struct now now, uint64_t turn, bool ok)
{
    (void)now;
    assert(turn == hs->flushing);
    hs->flushing = 0;
    if (ok) {
        hs->durable = turn;
    } else {
        hs->dead = true;
    }
}

void hs_turn(struct hs *hs, struct now now)
{
    (void)now;
    if (hs->open_turn) {
        hs->dead |= !exec(hs, "COMMIT");
        hs->open_turn = false;
    }
    hs->turn += hs->wrote ? 1u : 0u;
    hs->wrote = false;
}

/* The core's rules in small: one flush in flight, and nothing leaves before what it has seen. */
bool hs_next(struct hs *hs, struct effect *out)
{
    *out = (struct effect){0};
    if (hs->dead) {
        out->kind = EFFECT_RESTART;
        return true;
    }
    if (hs->turn > hs->durable && hs->flushing == 0) {
        hs->flushing = hs->turn;
        *out = (struct effect){.kind = EFFECT_FLUSH, .id = hs->turn};
        return true;
    }
    if (hs->count == 0 || hs->queue[hs->first % QUEUE_MAX].turn > hs->durable) {
        return false;
    }
    struct queued *q = &hs->queue[hs->first % QUEUE_MAX];
    hs->first = (hs->first + 1) % QUEUE_MAX;
    hs->count--;
    buf_release(&hs->out_head);
    buf_release(&hs->out_bytes);
    hs->out_head = q->head;
    hs->out_bytes = q->bytes;
    *out = q->effect;
    out->head = buf_str(&hs->out_head);
    out->bytes = buf_str(&hs->out_bytes);
    return true;
}

struct str hs_server_name(const struct hs *hs)
{
    (void)hs;
    return STR("double");
}

bool hs_is_dirty(const struct hs *hs)
{
    return hs->turn > hs->durable;
}
