/* The homeserver's public border: inputs go in by function calls, effects come out of hs_next.
 * Sans-I/O and single-threaded: no socket, clock or randomness inside; `struct host` lends the two
 * services the core may ask for in the middle of work.
 *
 * Order of calls: hs_open, then any number of { inputs, hs_turn, hs_next until false }, hs_close.
 * One turn (all inputs since the last hs_turn) is one sqlite transaction. hs_next yields an effect
 * only when every turn it could have seen is durable, so a host cannot speak too early. */
#ifndef HS_HS_H
#define HS_HS_H

#include "base/str.h"

struct hs;

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG,
};

struct host {
    void *ctx;
    void (*random)(void *ctx, void *out, size_t n); /* never fails */
    void (*log)(void *ctx, enum log_level level, struct str line);
};

/* Borrowed during hs_open; copied where kept. */
struct hs_config {
    struct str db_path;     /* file name for the VFS below */
    const char *vfs;        /* registered sqlite VFS, NULL: sqlite's default (native) */
    bool wasm_pragmas;      /* journal_mode=MEMORY etc.; false: WAL, synchronous=FULL */
    struct str server_name; /* empty: the peer id of the identity key */
    struct strs relays;     /* "ws://host:port"; empty: alone */
    struct str build_id;
    struct str admin_token;         /* /_neurite natively; absent: own-origin pages only (wasm) */
    struct str registration_secret; /* shared-secret registration; absent: off */
    uint32_t password_memory_kib;   /* 0: 19456 */
    bool read_only;                 /* writes answer 403 M_RESOURCE_LIMIT_EXCEEDED */
    bool logs_debug;                /* LOG_DEBUG goes to the host, too */
    bool rate_limits;
    bool guests;              /* anybody may be one */
    bool registration_tokens; /* only who has one registers */
    bool federates;           /* the host carries out FETCH, and serves other servers over HTTPS */
    struct str well_known_server, well_known_client; /* m.server and base_url; empty: not told */
    bool is_import; /* the database is a copy that was exported: it lives on from here, under a new
                       epoch; without this such a database is refused */
};

/* Opens or creates the database and migrates it. ERR_CORRUPT: damaged, or of a newer version;
 * ERR_REFUSED: moved, see is_import; ERR_FULL; ERR_STORE. *out is NULL then, and *why (never NULL)
 * a sentence. */
enum err hs_open(struct hs **out, const struct hs_config *config, const struct host *host,
                 struct now now, const char **why) MUST_USE;
void hs_close(struct hs *hs);

/* --- inputs ------------------------------------------------------------------------------- */

/* A client's request. head is an HTTP/1.1 request head as on the wire, through the empty line:
 * "PUT /_matrix/client/v3/... HTTP/1.1\r\nhost: ...\r\nauthorization: ...\r\n\r\n". body is whole,
 * at most HTTP_BODY_MAX. id is the host's, unique while the request is open. */
void hs_request(struct hs *hs, struct now now, uint64_t id, struct str head, struct str body);
/* The same of another server over HTTPS: it meets the server-server API and nothing else, and its
 * body has at most SERVER_BODY_MAX bytes. Ids are of one sequence with those above. */
void hs_server_request(struct hs *hs, struct now now, uint64_t id, struct str head,
                       struct str body);
/* The client is gone; no RESPOND for id follows. */
void hs_request_gone(struct hs *hs, struct now now, uint64_t id);

/* A link is a websocket to a relay that a DIAL effect asked for. */
void hs_link_up(struct hs *hs, struct now now, uint64_t link);
/* One whole websocket message. */
void hs_link_message(struct hs *hs, struct now now, uint64_t link, struct str message,
                     bool is_text);
/* Bytes that the link's send buffer would take now; sends stop at 0. A link starts at 1 MiB and
 * every SEND takes its size off; report when the buffer drains. */
void hs_link_room(struct hs *hs, struct now now, uint64_t link, size_t room);
/* The link failed to open, or ended. why: a word for the log. */
void hs_link_down(struct hs *hs, struct now now, uint64_t link, struct str why);

/* The answer to a FETCH, exactly one for each. status 0: there is none, and why says so in a few
 * words. */
void hs_answer(struct hs *hs, struct now now, uint64_t id, int status, struct str why,
               struct str body);

/* FLUSH of this turn is complete (ok), or failed: then nothing after the last durable turn leaves,
 * and the host drops the instance. */
void hs_flushed(struct hs *hs, struct now now, uint64_t turn, bool ok);

/* Fires the timers that are due, then commits. Call it after each batch of inputs, after
 * hs_flushed, and at the time WAKE named. */
void hs_turn(struct hs *hs, struct now now);

/* --- effects ------------------------------------------------------------------------------ */

enum effect_kind {
    EFFECT_RESPOND, /* id, status, head ("name: value\r\n" lines), bytes (whole body); ends the
                       request */
    EFFECT_SEND,    /* id = link, bytes = one websocket message, is_text */
    EFFECT_DIAL,    /* id = link, bytes = "ws://host:port/path" */
    EFFECT_CLOSE,   /* id = link; no hs_link_down follows */
    EFFECT_FLUSH,   /* id = turn: make everything committed so far durable, then hs_flushed */
    EFFECT_WAKE,    /* at_mono_ms: call hs_turn then; replaces the former WAKE; -1: never */
    EFFECT_RESTART, /* the instance is dead (COMMIT failed): drop it, open a new one */
    EFFECT_FETCH,   /* id, head = name of a server, bytes = an HTTP/1.1 request without Host,
                       at_mono_ms:   make it over HTTPS (server-server API, "Resolving server names")
                       and give   hs_answer by then; only with config.federates */
};

struct effect {
    enum effect_kind kind;
    uint64_t id;
    int status;
    bool is_text;
    int64_t at_mono_ms;
    struct str head;
    struct str bytes; /* head and bytes are valid until the next call into this hs */
};

/* False: nothing may leave now. */
bool hs_next(struct hs *hs, struct effect *out);

/* --- what a host shows -------------------------------------------------------------------- */

struct str hs_server_name(const struct hs *hs);
/* True while a turn is committed and not yet durable. */
bool hs_is_dirty(const struct hs *hs);

#endif
