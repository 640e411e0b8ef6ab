/* The table walker: method, path, decoding, body shape. */
#include "engine/route.h"

#include "base/encode.h"

const struct field route_bytes[] = {{0}};

struct segments {
    struct str at[HTTP_SEGMENTS_MAX];
    size_t n;
};

/* Without the prefix of Matrix, where what follows is Matrix's: routes of other names have one path
 * only, which is what those who guard them look at. */
static struct str without_prefix(struct str path)
{
    static const struct str below[] = {STR_INIT("/client/"), STR_INIT("/federation/"),
                                       STR_INIT("/key/"), STR_INIT("/media/"),
                                       STR_INIT("/policy/")};
    struct str matrix = STR("/_matrix");
    struct str rest = str_from(path, matrix.n);
    if (str_starts(path, matrix)) {
        for (size_t i = 0; i < COUNT_OF(below); i++) {
            if (str_starts(rest, below[i])) {
                return rest;
            }
        }
    }
    return path;
}

/* "/_matrix/client/v3/x/" -> client, v3, x; false: more segments than any route has. */
static bool split(struct str path, struct segments *out)
{
    out->n = 0;
    path = without_prefix(path);
    while (path.n > 0 && path.p[0] == '/') {
        struct str rest = str_from(path, 1);
        size_t end;
        if (!str_find(rest, '/', &end)) {
            end = rest.n;
        }
        if (end == 0 && rest.n == 0) {
            break; /* a slash at the end means nothing */
        }
        if (out->n == HTTP_SEGMENTS_MAX) {
            return false;
        }
        out->at[out->n] = str_sub(rest, 0, end);
        out->n++;
        path = str_from(rest, end);
    }
    return path.n <= 1;
}

static bool is_version(struct str wanted, struct str got)
{
    if (str_eq(wanted, got)) {
        return true;
    }
    return str_eq(wanted, STR("v3")) &&
           (str_eq(got, STR("r0")) || str_eq(got, STR("v1")) || str_eq(got, STR("unstable")));
}

static bool fits(struct str pattern, const struct segments *path, size_t wild[HTTP_SEGMENTS_MAX],
                 size_t *n_wild)
{
    size_t i = 0;
    *n_wild = 0;
    while (pattern.n > 0) {
        struct str rest = str_from(pattern, 1);
        size_t end;
        if (!str_find(rest, '/', &end)) {
            end = rest.n;
        }
        struct str want = str_sub(rest, 0, end);
        if (i == path->n) {
            return false;
        }
        if (str_eq(want, STR("{}"))) {
            wild[*n_wild] = i;
            (*n_wild)++;
        } else if (!(i == 1 ? is_version(want, path->at[i]) : str_eq(want, path->at[i]))) {
            return false;
        }
        i++;
        pattern = str_from(rest, end);
    }
    return i == path->n;
}

static enum route_found decode(const struct segments *path, const size_t *wild, struct req *req)
{
    for (size_t i = 0; i < req->n_params; i++) {
        if (percent_parse(req->a, path->at[wild[i]], false, &req->params[i]) != ERR_NONE ||
            !utf8_is_valid(req->params[i])) {
            return ROUTE_BAD_PATH;
        }
    }
    return ROUTE_FOUND;
}

/* The first row for the path that has one of the methods; NULL: there is none. */
static const struct route *row_of(const struct route *const *tables, const struct segments *path,
                                  unsigned methods, size_t wild[HTTP_SEGMENTS_MAX], size_t *n_wild)
{
    for (; *tables != NULL; tables++) {
        for (const struct route *row = *tables; row->path != NULL; row++) {
            if ((row->methods & methods) != 0 && fits(str_of(row->path), path, wild, n_wild)) {
                return row;
            }
        }
    }
    return NULL;
}

enum route_found route_find(const struct route *const *tables, struct req *req)
{
    struct segments path;
    size_t wild[HTTP_SEGMENTS_MAX] = {0};
    if (!split(req->head->path, &path)) {
        return ROUTE_NO_PATH;
    }
    req->route = row_of(tables, &path, (unsigned)req->head->method, wild, &req->n_params);
    if (req->route != NULL) {
        return decode(&path, wild, req);
    }
    return row_of(tables, &path, ~0U, wild, &req->n_params) != NULL ? ROUTE_NO_METHOD
                                                                    : ROUTE_NO_PATH;
}

static bool has_kind(const struct json *node, enum field_kind kind)
{
    switch (kind) {
    case FIELD_TEXT:
        return json_is(node, JSON_TEXT);
    case FIELD_INT:
        return json_is(node, JSON_INT);
    case FIELD_BOOL:
        return json_is(node, JSON_BOOL);
    case FIELD_OBJECT:
        return json_is(node, JSON_OBJECT);
    case FIELD_ARRAY:
        return json_is(node, JSON_ARRAY);
    case FIELD_ANY:
    case FIELD_END:
        return true;
    }
    return false;
}

const char *route_body_fault(struct arena *a, const struct field *fields, const struct json *body,
                             bool *missing)
{
    static const char *const kinds[] = {
        [FIELD_END] = "",           [FIELD_TEXT] = "a string",    [FIELD_INT] = "an integer",
        [FIELD_BOOL] = "a boolean", [FIELD_OBJECT] = "an object", [FIELD_ARRAY] = "an array",
        [FIELD_ANY] = "a value",
    };
    *missing = false;
    for (const struct field *f = fields; f != NULL && f->kind != FIELD_END; f++) {
        const struct json *node = json_get(body, str_of(f->name));
        bool absent = node == NULL || (json_is(node, JSON_NULL) && !f->required);
        if (absent && f->required) {
            *missing = true;
            return arena_fmt(a, "the body lacks '%s'", f->name).p;
        }
        if (!absent && !has_kind(node, f->kind)) {
            return arena_fmt(a, "'%s' must be %s", f->name, kinds[f->kind]).p;
        }
    }
    return NULL;
}

const char *route_query_fault(struct req *req)
{
    static const char *const numbers[] = {"limit", "timeout", "ts", "max_depth",
                                          "minimum_valid_until_ts"};
    for (size_t i = 0; !str_is_empty(req->head->query) && i < COUNT_OF(numbers); i++) {
        struct str text = req_query(req, numbers[i]);
        int64_t value;
        if (text.p != NULL && (!str_to_i64(text, &value) || value < 0)) {
            return numbers[i];
        }
    }
    return NULL;
}
