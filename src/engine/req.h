/* A request on its way through the core, from either door, and its reply. */
#ifndef ENGINE_REQ_H
#define ENGINE_REQ_H

#include "engine/engine.h"
#include "http/message.h"

enum door {
    DOOR_CLIENT, /* client-server API and /_neurite */
    DOOR_PEER,   /* streams of peers: the federation table and nothing else */
    DOOR_SERVER, /* the same for servers that come over HTTPS, and /.well-known */
};

/* Who may ask. */
enum who {
    WHO_ANYONE,
    WHO_USER,     /* a valid access token of a registered user */
    WHO_GUEST,    /* of a guest as well (client-server API, "Guest access") */
    WHO_OPTIONAL, /* a token is looked at if there is one */
    WHO_SERVER,   /* X-Matrix; of a peer, the origin is who is at the other end */
    WHO_ADMIN,    /* the token in DATA/admin-token natively; own-origin pages in the worker */
};

/* What a request counts as where rates are limited (engine/admission.c). */
enum rate_class {
    RATE_OTHER,
    RATE_ACCOUNT,
    RATE_PASSWORD, /* of no route: trials of one account's password */
    RATE_MESSAGE,
    RATE_ROOM,
    RATE_SEARCH,
    RATE_UPLOAD,
    RATE_FILE,
    RATE_FETCH, /* of no route: files that strangers have fetched, all of them together */
    RATE_DOOR,  /* of no route: all that comes to the servers' door from one address */
    RATE_SERVER,
    RATE_KEY,    /* of no route: requests that name a server whose key is not known */
    RATE_ERRAND, /* has us ask others, for anyone */
};

enum field_kind {
    FIELD_END = 0,
    FIELD_TEXT,
    FIELD_INT,
    FIELD_BOOL,
    FIELD_OBJECT,
    FIELD_ARRAY,
    FIELD_ANY,
};

/* The shape of a JSON body: { "name", FIELD_TEXT, true }, ..., { 0 }. */
struct field {
    const char *name;
    enum field_kind kind;
    bool required;
};

struct reply {
    int status; /* 0: not answered yet */
    struct json *json;
    struct str text; /* instead of json, with content_type */
    const char *content_type;
    struct str headers; /* further ones: "name: value\r\n" lines */
    bool keep;          /* an error that keeps what it wrote (default: an error rolls back) */
    bool parked;        /* the request waits; it is answered later by req_finish */
};

struct req;
typedef enum err (*handler_fn)(struct hs *hs, struct req *req);
/* A parked request is looked at again: something it may wait for happened, or its time is up. It
 * stays parked unless it has set a reply. */
typedef enum err (*resume_fn)(struct hs *hs, struct req *req, bool is_time_up);

/* The body of a row whose body is not JSON: it stays in body_text. */
extern const struct field route_bytes[];

struct route {
    unsigned methods; /* of enum http_method */
    /* Segments separated by '/', {} takes any one. "v3" also takes r0, v1 and unstable. */
    const char *path;
    enum who who;
    enum rate_class rate; /* peers of a relay are not counted */
    handler_fn handler;
    const struct field *body; /* NULL: any object, or no body at all; or route_bytes */
};

struct req {
    struct arena *a; /* lives until the answer has been pushed */
    uint64_t id;     /* the host's, or the peer's stream */
    enum door door;
    const struct route *route;
    const struct http_head *head;
    struct str body_text;
    struct json *body;                    /* an object for PUT and POST, never NULL there */
    struct str params[HTTP_SEGMENTS_MAX]; /* what stood at each {}, decoded */
    size_t n_params;

    int64_t user; /* number of user_id in names; 0: nobody */
    struct str user_id, device_id;
    struct str token_hash;
    struct str address; /* of the client, as text; absent when the host does not say */
    bool may_hash;      /* passwords: engine/admission.h */
    bool is_counted;    /* where rates are limited */
    bool is_admin, is_guest;
    struct str origin; /* server name, but for clients */
    int64_t origin_name;

    struct reply reply;

    /* Neurite-Request-Id (core.md, "Once, not twice"); absent without one */
    struct str request_id, request_session;
    uint8_t request_asked[32];
    uint64_t leader; /* not 0: repeats this parked request of the same id */

    /* while parked */
    resume_fn resume;
    int64_t until_ms; /* mono_ms; -1: no end of its own */
    bool wakes;       /* by news for user */
    int64_t watched;  /* a room whose news wake as well, 0: none */
    bool is_gone;     /* nobody waits for the answer; it is kept under the request id */
    void *ctx;        /* the handler's, in a */
};

/* Replies. All give ERR_NONE so that a handler can `return reply_...`. */
enum err reply_json(struct req *req, struct json *body); /* 200 */
enum err reply_empty(struct req *req);                   /* 200 {} */
/* A specification's error: {"errcode": code, "error": sentence}. */
enum err reply_error(struct req *req, int status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);
#define reply_not_found(req, what) reply_error((req), 404, "M_NOT_FOUND", "%s", (what))
#define reply_forbidden(req, why) reply_error((req), 403, "M_FORBIDDEN", "%s", (why))
/* 413 M_TOO_LARGE for the ERR_LIMIT of what was to be sent to other servers; any other err as it
 * is. */
enum err reply_limit(struct req *req, enum err err) MUST_USE;

/* The decoded query parameter, absent without one. */
struct str req_query(struct req *req, const char *key);
int64_t req_query_int(struct req *req, const char *key, int64_t fallback);

/* From a handler: wait. until_ms: when resume is called with is_time_up; -1: only req_finish ends
 * it. wakes: resume is called in each turn with news for req->user. */
enum err req_park(struct req *req, resume_fn resume, int64_t until_ms, bool wakes);

#endif
