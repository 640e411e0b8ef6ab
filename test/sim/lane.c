/* HTTP as text. */
#include "test/sim/lane.h"

#include "base/encode.h"
#include "base/limits.h"
#include "test/sim/station.h"
#include "test/sim/user.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void answered(void *ctx, int status, struct str body);

static void go(void *ctx, uint64_t word)
{
    struct lane *lane = ctx;
    (void)word;
    station_request(lane->user->node, buf_str(&lane->head), buf_str(&lane->body), answered, lane);
}

static bool is_full(int status, struct str body)
{
    return status == 403 && strstr(body.p, "M_RESOURCE_LIMIT_EXCEEDED") != NULL;
}

static void answered(void *ctx, int status, struct str body)
{
    struct lane *lane = ctx;
    struct user *user = lane->user;
    struct world *world = user->world;
    struct json *answer = NULL;
    world_trace(world, "user %zu is answered %d", user->index, status);
    if (status == 0 || is_full(status, body)) {
        agenda_put(&world->agenda, world->now_ms + rng_between(&user->rng, 10, 200), go, lane, 0);
        return;
    }
    struct arena *a = arena_new();
    lane->is_busy = false;
    if (json_parse(a, body, &answer, NULL) != ERR_NONE) {
        world_fail(world, "user %zu: %.*s is answered with what is no JSON: %.*s", user->index, 60,
                   lane->head.p, (int)(body.n < 200 ? body.n : 200), body.p);
    } else {
        lane->fn(user, status, answer, body);
    }
    arena_free(a);
}

void lane_init(struct lane *lane, struct user *user)
{
    *lane = (struct lane){.user = user};
    buf_init(&lane->head, HTTP_HEAD_MAX);
    buf_init(&lane->body, HTTP_BODY_MAX);
}

void lane_release(struct lane *lane)
{
    buf_release(&lane->head);
    buf_release(&lane->body);
}

void lane_ask(struct lane *lane, const char *method, struct str path, struct str body, lane_fn fn)
{
    struct user *user = lane->user;
    assert(!lane->is_busy);
    lane->is_busy = true;
    lane->asked_ms = user->world->now_ms;
    lane->fn = fn;
    buf_clear(&lane->head);
    buf_clear(&lane->body);
    buf_add(&lane->body, body);
    buf_add_fmt(&lane->head, "%s /_matrix/client/v3%.*s HTTP/1.1\r\nhost: sim\r\n", method,
                STR_ARG(path));
    if (user->token[0] != '\0') {
        buf_add_fmt(&lane->head, "authorization: Bearer %s\r\n", user->token);
    }
    if (strcmp(method, "GET") != 0) {
        buf_add_fmt(&lane->head, "neurite-request-id: u%zu-%" PRIu64 "\r\n", user->index,
                    user->request_serial++);
        buf_add_fmt(&lane->head, "content-type: application/json\r\ncontent-length: %zu\r\n",
                    body.n);
    }
    buf_add(&lane->head, STR("\r\n"));
    go(lane, 0);
}

struct str lane_path(struct arena *a, const char *before, struct str text, const char *after)
{
    return arena_fmt(a, "%s%.*s%s", before, STR_ARG(percent_write(a, text)), after);
}
