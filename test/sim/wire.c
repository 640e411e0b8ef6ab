/* Each link is two queues in virtual time, in order, as TCP is; what is lost is lost with the link.
 *
 *     node --(latency)--> relay machine --(latency)--> node
 *
 * While a node is parted from a relay nothing passes between them, and neither learns that the
 * other has closed. */
#include "test/sim/wire.h"

#include "relay/relay.h"

#include <string.h>

#define LINKS_MAX 64
#define ROOM (1024 * 1024)

struct letter {
    struct letter *next;
    struct cable *cable;
    bool is_text;
    size_t n;
    char bytes[];
};

/* One websocket. Cables are kept until the run ends, so that letters may find theirs gone. */
struct cable {
    struct cable *next;
    struct wire *wire;
    struct hub *hub;
    const struct endpoint *node;
    uint64_t incarnation, link;
    struct conn *conn;           /* NULL: not yet, or no more */
    bool is_gone;                /* for the node; the relay may not know yet */
    int64_t up_ms, down_ms;      /* when the last letter of each direction arrives */
    size_t on_the_way;           /* bytes of the node's that the relay has not read */
    struct letter *first, *last; /* arrived, not read yet: the relay pauses */
};

struct hub {
    struct wire *wire;
    struct relay *relay;
    int64_t tick_ms;
    int64_t down_until_ms;
    int64_t parted_until_ms[WORLD_NODES_MAX + 1]; /* by node, the hostile one last */
};

struct wire {
    struct world *world;
    struct rng rng;
    size_t n_hubs;
    struct hub hubs[WIRE_RELAYS_MAX];
    struct cable *cables;
};

static void relay_random(void *arg, void *out, size_t n)
{
    struct wire *wire = arg;
    rng_fill(&wire->rng, out, n);
}

static void hub_start(struct hub *hub)
{
    struct relay_config config = {.has_challenge = true,
                                  .is_strict = true,
                                  .limits = limits_standard(),
                                  .random = relay_random,
                                  .random_arg = hub->wire};
    hub->tick_ms = -1;
    hub->relay = relay_new(&config);
}

struct wire *wire_new(struct world *world, size_t relays)
{
    struct wire *wire = base_alloc(sizeof(*wire));
    assert(relays > 0 && relays <= WIRE_RELAYS_MAX);
    wire->world = world;
    wire->n_hubs = relays;
    rng_init(&wire->rng, rng_next(&world->rng));
    for (size_t i = 0; i < relays; i++) {
        wire->hubs[i].wire = wire;
        hub_start(&wire->hubs[i]);
    }
    return wire;
}

size_t wire_relays(const struct wire *wire)
{
    return wire->n_hubs;
}

struct str wire_relay_url(size_t relay)
{
    return relay == 0 ? STR("ws://127.0.0.1:9090") : STR("ws://127.0.0.1:9091");
}

static struct now now_of(const struct wire *wire)
{
    return (struct now){wire->world->now_ms, wire->world->now_ms};
}

static struct cable *cable_find(struct wire *wire, const struct endpoint *node,
                                uint64_t incarnation, uint64_t link)
{
    for (struct cable *c = wire->cables; c != NULL; c = c->next) {
        if (!c->is_gone && c->node == node && c->incarnation == incarnation && c->link == link) {
            return c;
        }
    }
    return NULL;
}

/* --- the end of a cable -------------------------------------------------------------------- */

static int64_t parted_until(const struct cable *cable)
{
    return cable->hub->parted_until_ms[cable->node->index];
}

static void relay_settle(struct hub *hub);

static void relay_forgets(struct cable *cable)
{
    struct conn *conn = cable->conn;
    cable->conn = NULL;
    while (cable->first != NULL) {
        struct letter *next = cable->first->next;
        base_free(cable->first);
        cable->first = next;
    }
    if (conn != NULL) {
        relay_gone(cable->hub->relay, now_of(cable->wire), conn);
    }
}

static void relay_learns(void *ctx, uint64_t word)
{
    struct cable *cable = ctx;
    (void)word;
    if (cable->conn != NULL) {
        relay_forgets(cable);
        relay_settle(cable->hub);
    }
}

/* The node's end is gone; the relay hears of it when something can reach it. */
static void cable_cut(struct cable *cable)
{
    struct world *world = cable->wire->world;
    cable->is_gone = true;
    if (parted_until(cable) > world->now_ms) {
        agenda_put(&world->agenda, parted_until(cable), relay_learns, cable, 0);
    } else {
        relay_forgets(cable);
    }
}

static void tells_down(void *ctx, uint64_t word)
{
    struct cable *cable = ctx;
    (void)word;
    cable->node->down(cable->node->ctx, cable->incarnation, cable->link, STR("closed"));
}

/* Both learn of it, the node a little later. */
static void cable_break(struct cable *cable)
{
    struct world *world = cable->wire->world;
    int64_t at = world->now_ms + rng_between(&cable->wire->rng, 0, 30);
    cable->is_gone = true;
    relay_forgets(cable);
    agenda_put(&world->agenda, at > parted_until(cable) ? at : parted_until(cable), tells_down,
               cable, 0);
}

void wire_free(struct wire *wire)
{
    while (wire->cables != NULL) {
        struct cable *next = wire->cables->next;
        relay_forgets(wire->cables);
        base_free(wire->cables);
        wire->cables = next;
    }
    for (size_t i = 0; i < wire->n_hubs; i++) {
        relay_free(wire->hubs[i].relay);
    }
    base_free(wire);
}

/* --- from the relay ------------------------------------------------------------------------ */

static void arrives_at_node(void *ctx, uint64_t word)
{
    struct letter *letter = ctx;
    struct cable *cable = letter->cable;
    (void)word;
    if (!cable->is_gone) {
        cable->node->message(cable->node->ctx, cable->incarnation, cable->link,
                             str_make(letter->bytes, letter->n), letter->is_text);
    }
    base_free(letter);
}

static struct letter *letter_new(struct cable *cable, struct str bytes, bool is_text)
{
    struct letter *letter = base_alloc(sizeof(*letter) + bytes.n + 1);
    letter->cable = cable;
    letter->is_text = is_text;
    letter->n = bytes.n;
    if (bytes.n > 0) {
        memcpy(letter->bytes, bytes.p, bytes.n);
    }
    return letter;
}

/* In order: never before the one sent last. */
static int64_t arrival(struct cable *cable, int64_t *last_ms)
{
    struct world *world = cable->wire->world;
    int64_t at = world->now_ms + rng_between(&cable->wire->rng, 1, 25);
    uint64_t one_in = world->faults.clog_one_in;
    if (one_in != 0 && rng_one_in(&cable->wire->rng, one_in) &&
        schedule_next(&world->schedule, HAPPENS_CLOG)) {
        at += rng_between(&cable->wire->rng, 500, 15000);
        world_trace(world, "link %llu of node %zu stands still until %lld",
                    (unsigned long long)cable->link, cable->node->index, (long long)at);
    }
    at = at > parted_until(cable) ? at : parted_until(cable) + 1;
    *last_ms = at > *last_ms ? at : *last_ms;
    return *last_ms;
}

static bool is_cut_now(struct wire *wire)
{
    uint64_t one_in = wire->world->faults.link_cut_one_in;
    wire->world->counts.link_messages++;
    return one_in != 0 && rng_one_in(&wire->rng, one_in) &&
           schedule_next(&wire->world->schedule, HAPPENS_CUT);
}

static void relay_read(struct cable *cable);

/* Takes what the relay has to say to everybody, until it is silent. */
static void relay_settle(struct hub *hub)
{
    struct world *world = hub->wire->world;
    struct conn *conn;
    while ((conn = relay_changed(hub->relay)) != NULL) {
        struct cable *cable = conn_socket(conn);
        struct frame *frame;
        while ((frame = conn_first(conn)) != NULL) {
            struct letter *letter =
                letter_new(cable, frame_payload(frame), frame->kind == FRAME_TEXT);
            agenda_put_owned(&world->agenda, arrival(cable, &cable->down_ms), arrives_at_node,
                             letter, base_free);
            conn_sent(hub->relay, conn);
        }
        if (conn_closing(conn) != CONN_OPEN && cable->is_gone) {
            relay_forgets(cable);
        } else if (conn_closing(conn) != CONN_OPEN) {
            cable_break(cable);
        } else {
            relay_read(cable);
        }
    }
}

static void relay_ticks(void *ctx, uint64_t word);

static void tick_put(struct hub *hub)
{
    struct world *world = hub->wire->world;
    int64_t due = relay_due_ms(hub->relay);
    if (due >= 0 && (hub->tick_ms < 0 || due < hub->tick_ms)) {
        hub->tick_ms = due > world->now_ms ? due : world->now_ms + 1;
        agenda_put(&world->agenda, hub->tick_ms, relay_ticks, hub, 0);
    }
}

static void relay_ticks(void *ctx, uint64_t word)
{
    struct hub *hub = ctx;
    (void)word;
    if (hub->tick_ms == hub->wire->world->now_ms) {
        hub->tick_ms = -1;
        relay_tick(hub->relay, now_of(hub->wire));
        relay_settle(hub);
        tick_put(hub);
    }
}

/* --- to the relay -------------------------------------------------------------------------- */

/* Reads what has arrived, while it is not paused. */
static void relay_read(struct cable *cable)
{
    struct wire *wire = cable->wire;
    while (cable->conn != NULL && cable->first != NULL && !conn_is_paused(cable->conn)) {
        struct letter *letter = cable->first;
        cable->first = letter->next;
        struct frame *frame = frame_new(letter->is_text ? FRAME_TEXT : FRAME_BINARY, letter->n);
        frame = frame_add(frame, letter->bytes, letter->n);
        frame_seal(frame);
        cable->on_the_way -= letter->n;
        base_free(letter);
        relay_message(cable->hub->relay, now_of(wire), cable->conn, frame);
        cable->node->room(cable->node->ctx, cable->incarnation, cable->link,
                          ROOM - cable->on_the_way);
    }
}

static void arrives_at_relay(void *ctx, uint64_t word)
{
    struct letter *letter = ctx;
    struct cable *cable = letter->cable;
    (void)word;
    if (cable->conn == NULL) {
        base_free(letter);
        return;
    }
    letter->next = NULL;
    if (cable->first == NULL) {
        cable->first = letter;
    } else {
        cable->last->next = letter;
    }
    cable->last = letter;
    relay_read(cable);
    relay_settle(cable->hub);
    tick_put(cable->hub);
}

static void connects(void *ctx, uint64_t word)
{
    struct cable *cable = ctx;
    struct wire *wire = cable->wire;
    struct hub *hub = cable->hub;
    (void)word;
    if (cable->is_gone) {
        return;
    }
    if (parted_until(cable) > wire->world->now_ms) {
        agenda_put(&wire->world->agenda, parted_until(cable), connects, cable, 0);
        return;
    }
    if (hub->down_until_ms <= wire->world->now_ms) {
        cable->conn = relay_open(hub->relay, now_of(wire), STR("127.0.0.1"), false, cable);
    }
    if (cable->conn == NULL) {
        cable_break(cable);
        return;
    }
    cable->node->up(cable->node->ctx, cable->incarnation, cable->link);
    relay_settle(hub);
    tick_put(hub);
}

void wire_dial(struct wire *wire, const struct endpoint *node, uint64_t incarnation, uint64_t link,
               struct str url)
{
    struct world *world = wire->world;
    struct cable *cable = base_alloc(sizeof(*cable));
    *cable = (struct cable){
        .next = wire->cables, .wire = wire, .node = node, .incarnation = incarnation, .link = link};
    for (size_t i = 0; i < wire->n_hubs; i++) {
        if (str_starts(url, wire_relay_url(i))) {
            cable->hub = &wire->hubs[i];
        }
    }
    assert(cable->hub != NULL);
    wire->cables = cable;
    agenda_put(&world->agenda, world->now_ms + rng_between(&wire->rng, 1, 40), connects, cable, 0);
}

void wire_send(struct wire *wire, const struct endpoint *node, uint64_t incarnation, uint64_t link,
               struct str message, bool is_text)
{
    struct cable *cable = cable_find(wire, node, incarnation, link);
    if (cable == NULL) {
        return;
    }
    if (is_cut_now(wire)) {
        world_trace(wire->world, "link %llu of node %zu breaks", (unsigned long long)link,
                    node->index);
        cable_break(cable);
        relay_settle(cable->hub);
        return;
    }
    cable->on_the_way += message.n;
    if (cable->on_the_way > ROOM + (size_t)RELAY_MESSAGE_MAX) {
        world_fail(wire->world, "a link's room is not respected");
    }
    agenda_put_owned(&wire->world->agenda, arrival(cable, &cable->up_ms), arrives_at_relay,
                     letter_new(cable, message, is_text), base_free);
}

void wire_close(struct wire *wire, const struct endpoint *node, uint64_t incarnation, uint64_t link)
{
    struct cable *cable = cable_find(wire, node, incarnation, link);
    if (cable != NULL) {
        cable_cut(cable);
        relay_settle(cable->hub);
    }
}

static void settle_all(struct wire *wire)
{
    for (size_t i = 0; i < wire->n_hubs; i++) {
        relay_settle(&wire->hubs[i]);
    }
}

void wire_node_gone(struct wire *wire, const struct endpoint *node)
{
    for (struct cable *c = wire->cables; c != NULL; c = c->next) {
        if (!c->is_gone && c->node == node) {
            cable_cut(c);
        }
    }
    settle_all(wire);
}

/* --- faults -------------------------------------------------------------------------------- */

void wire_part(struct wire *wire, const struct endpoint *node, size_t relay, int64_t end_ms)
{
    world_trace(wire->world, "node %zu is parted from relay %zu until %lld", node->index, relay,
                (long long)end_ms);
    wire->hubs[relay].parted_until_ms[node->index] = end_ms;
}

void wire_relay_restart(struct wire *wire, size_t relay, int64_t end_ms)
{
    struct hub *hub = &wire->hubs[relay];
    world_trace(wire->world, "relay %zu is down until %lld", relay, (long long)end_ms);
    hub->down_until_ms = end_ms;
    for (struct cable *c = wire->cables; c != NULL; c = c->next) {
        if (c->hub == hub && c->conn != NULL && c->is_gone) {
            relay_forgets(c);
        } else if (c->hub == hub && c->conn != NULL) {
            cable_break(c);
        }
    }
    relay_free(hub->relay);
    hub_start(hub);
}

void wire_heal(struct wire *wire)
{
    for (size_t i = 0; i < wire->n_hubs; i++) {
        struct hub *hub = &wire->hubs[i];
        hub->down_until_ms = 0;
        memset(hub->parted_until_ms, 0, sizeof(hub->parted_until_ms));
    }
}
