/* Uploaded files (client-server API, "Content repository"). Bytes are kept once for all who upload
 * the same. Files of other servers are kept too, as "<server>/<id>", the newest of them. */
#ifndef ENGINE_MEDIA_H
#define ENGINE_MEDIA_H

#include "engine/req.h"

struct media {
    struct str id, content_type, name; /* name: absent when there is none */
    struct str hash;                   /* absent: the bytes are still to come */
    int64_t user;                      /* 0: of another server */
    int64_t size, made_ms;
};

/* ERR_ABSENT: no such file. */
enum err media_find(struct hs *hs, struct arena *a, struct str id, struct media *out) MUST_USE;
enum err media_bytes(struct hs *hs, struct arena *a, const struct media *m,
                     struct str *out) MUST_USE;
/* Stores the row and the bytes; size and hash are taken from them. ERR_LIMIT: that would be more
 * than the user may keep. */
enum err media_put(struct hs *hs, struct arena *a, struct media *m, struct str bytes) MUST_USE;
/* The same for a file of another server: the oldest of those make room. */
enum err media_cache(struct hs *hs, struct arena *a, struct media *m, struct str bytes) MUST_USE;
/* Is it one that could be an id or a part of a path? [A-Za-z0-9_-], at most 255. */
bool media_is_id(struct str id);
/* A content type fit for a header, else application/octet-stream. */
struct str media_type(struct str type);
/* "inline" or "attachment", with the file name when there is one. */
struct str media_disposition(struct arena *a, const struct media *m, struct str name);

#endif
