/* Finds the row of a table for a path, and checks the shape of a body. Pure. */
#ifndef ENGINE_ROUTE_H
#define ENGINE_ROUTE_H

#include "engine/req.h"

enum route_found {
    ROUTE_FOUND,
    ROUTE_NO_METHOD, /* the path is there, not with this method: 405 */
    ROUTE_NO_PATH,   /* 404 */
    ROUTE_BAD_PATH,  /* a bad escape or too many segments: 400 */
};

/* tables ends with NULL, each table with a row whose path is NULL. Fills req->route, params and
 * n_params. */
enum route_found route_find(const struct route *const *tables, struct req *req);
/* NULL when the body has the shape, else a sentence; *missing tells a missing member. */
const char *route_body_fault(struct arena *a, const struct field *fields, const struct json *body,
                             bool *missing);
/* The first of the query's numbers that is not one, NULL: none. Numbers are known by their names
 * in all APIs; none may be below zero. */
const char *route_query_fault(struct req *req);

#endif
