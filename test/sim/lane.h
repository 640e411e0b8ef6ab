/* A client's requests, one open at a time. A connection that breaks, or a server whose disk is
 * full, is answered by the same request again, under the same request id, as our page does. */
#ifndef TEST_SIM_LANE_H
#define TEST_SIM_LANE_H

#include "base/buf.h"
#include "test/sim/world.h"
#include "json/json.h"

struct user;

/* body is what came, answer the same as JSON: never NULL. */
typedef void (*lane_fn)(struct user *user, int status, const struct json *answer, struct str body);

struct lane {
    struct user *user;
    lane_fn fn;
    struct buf head, body;
    int64_t asked_ms;
    bool is_busy;
};

void lane_init(struct lane *lane, struct user *user);
void lane_release(struct lane *lane);
/* path: below /_matrix/client/v3; body: of a GET empty. */
void lane_ask(struct lane *lane, const char *method, struct str path, struct str body, lane_fn fn);

/* "/rooms/<room>" and so on: what a printf makes, and then `text` percent-encoded. */
struct str lane_path(struct arena *a, const char *before, struct str text, const char *after);

#endif
