/* Rows of files, and their bytes by hash. */
#include "engine/media.h"

#include "base/encode.h"
#include "crypto/hash.h"

/* ROW_SIZE: what a file counts besides its bytes, as in MEDIA_SUM; empty ones take room as well. */
enum { TYPE_MAX = 200, ID_MAX = 255, ROW_SIZE = 1024 };

enum err media_find(struct hs *hs, struct arena *a, struct str id, struct media *out)
{
    struct query q;
    TRY(query_one(&q, hs->store, STMT_MEDIA_GET, "t", id));
    *out = (struct media){.id = id,
                          .user = query_int(&q, 0),
                          .content_type = media_type(query_str(&q, a, 1)),
                          .name = query_str(&q, a, 2),
                          .hash = query_str(&q, a, 3),
                          .size = query_int(&q, 4),
                          .made_ms = query_int(&q, 5)};
    return query_end(&q);
}

enum err media_bytes(struct hs *hs, struct arena *a, const struct media *m, struct str *out)
{
    TRY(store_get_str(hs->store, a, out, STMT_BLOB_GET, "b", m->hash));
    if (out->p == NULL && m->size == 0) {
        *out = STR("");
    }
    return out->p == NULL ? ERR_CORRUPT : ERR_NONE;
}

static enum err store(struct hs *hs, struct arena *a, struct media *m, struct str bytes)
{
    uint8_t *hash = arena_alloc(a, HASH_SIZE);
    bytes = bytes.p == NULL ? STR("") : bytes;
    hash_sha256(hash, bytes);
    m->hash = str_make(hash, HASH_SIZE);
    m->size = (int64_t)bytes.n;
    m->made_ms = hs->now.unix_ms;
    TRY(store_run(hs->store, STMT_BLOB_PUT, "bb", m->hash, bytes));
    return store_run(hs->store, STMT_MEDIA_PUT, "tittbii", m->id, m->user, m->content_type, m->name,
                     m->hash, m->size, m->made_ms);
}

enum err media_put(struct hs *hs, struct arena *a, struct media *m, struct str bytes)
{
    int64_t total;
    TRY(store_get_int(hs->store, &total, 0, STMT_MEDIA_SUM, "i", m->user));
    if (total + (int64_t)bytes.n + ROW_SIZE > MEDIA_OF_USER_MAX) {
        return ERR_LIMIT;
    }
    return store(hs, a, m, bytes);
}

enum err media_cache(struct hs *hs, struct arena *a, struct media *m, struct str bytes)
{
    int64_t total;
    m->user = 0;
    TRY(store_get_int(hs->store, &total, 0, STMT_MEDIA_SUM, "i", (int64_t)0));
    while (total > 0 && total + (int64_t)bytes.n + ROW_SIZE > MEDIA_CACHE_MAX) {
        struct query q;
        TRY(query_one(&q, hs->store, STMT_MEDIA_OLDEST, "i", (int64_t)0));
        struct str id = query_str(&q, a, 0);
        struct str hash = query_str(&q, a, 1);
        TRY(query_end(&q));
        TRY(store_run(hs->store, STMT_MEDIA_DROP, "t", id));
        TRY(store_run(hs->store, STMT_BLOB_DROP, "bb", hash, hash));
        TRY(store_get_int(hs->store, &total, 0, STMT_MEDIA_SUM, "i", (int64_t)0));
    }
    return store(hs, a, m, bytes);
}

bool media_is_id(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_')) {
            return false;
        }
    }
    return id.n > 0 && id.n <= ID_MAX;
}

/* Of several types, with commas between, a browser goes by the last (Fetch, "extract a MIME type"):
 * where there is one, parameters are left out, as it may be among them. */
struct str media_type(struct str type)
{
    struct str rest;
    size_t slash, comma;
    if (str_find(type, ',', &comma)) {
        (void)str_cut(type, ';', &type, &rest);
    }
    bool is_fit = type.n <= TYPE_MAX && str_find(type, '/', &slash) && !str_find(type, ',', &comma);
    for (size_t i = 0; i < type.n; i++) {
        is_fit = is_fit && type.p[i] >= ' ' && type.p[i] <= '~';
    }
    return is_fit ? type : STR("application/octet-stream");
}

/* "Serving inline content": what a browser shows without running it. */
static bool is_inline(struct str type)
{
    static const char *const types[] = {
        "text/css",    "text/plain", "text/csv",    "application/json", "application/ld+json",
        "image/jpeg",  "image/gif",  "image/png",   "image/apng",       "image/webp",
        "image/avif",  "video/mp4",  "video/webm",  "video/ogg",        "video/quicktime",
        "audio/mp4",   "audio/webm", "audio/aac",   "audio/mpeg",       "audio/ogg",
        "audio/wave",  "audio/wav",  "audio/x-wav", "audio/x-pn-wav",   "audio/flac",
        "audio/x-flac"};
    struct str rest;
    (void)str_cut(type, ';', &type, &rest);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (str_eq_nocase(str_trim(type), str_of(types[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_plain(struct str name)
{
    bool plain = true;
    for (size_t i = 0; i < name.n; i++) {
        plain = plain && name.p[i] > ' ' && name.p[i] <= '~' && name.p[i] != '"' &&
                name.p[i] != '\\' && name.p[i] != '%';
    }
    return plain;
}

struct str media_disposition(struct arena *a, const struct media *m, struct str name)
{
    const char *kind = is_inline(m->content_type) ? "inline" : "attachment";
    name = name.p == NULL ? m->name : name;
    if (str_is_empty(name)) {
        return str_of(kind);
    }
    return is_plain(name)
               ? arena_fmt(a, "%s; filename=\"%.*s\"", kind, STR_ARG(name))
               : arena_fmt(a, "%s; filename*=utf-8''%.*s", kind, STR_ARG(percent_write(a, name)));
}
