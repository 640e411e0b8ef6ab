/* Each link is two queues in virtual time, in order, as TCP is; what is lost is lost with the link.
 *
 *     node --(latency)--> relay machine --(latency)--> node
 */
#include "test/sim/wire.h"

#include "relay/relay.h"
#include "test/sim/station.h"

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
    struct station *node;
    uint64_t incarnation, link;
    struct conn *conn; /* NULL: not yet, or no more */
    bool is_gone;
    int64_t up_ms, down_ms;      /* when the last letter of each direction arrives */
    size_t on_the_way;           /* bytes of the node's that the relay has not read */
    struct letter *first, *last; /* arrived, not read yet: the relay pauses */
};

struct wire {
    struct world *world;
    struct relay *relay;
    struct cable *cables;
    int64_t tick_ms;
};

static void relay_random(void *arg, void *out, size_t n)
{
    struct wire *wire = arg;
    rng_fill(&wire->world->rng, out, n);
}

struct wire *wire_new(struct world *world)
{
    struct wire *wire = base_alloc(sizeof(*wire));
    wire->world = world;
    wire->tick_ms = -1;
    struct relay_config config = {.has_challenge = true,
                                  .is_strict = true,
                                  .limits = limits_standard(),
                                  .random = relay_random,
                                  .random_arg = wire};
    wire->relay = relay_new(&config);
    return wire;
}

static struct now now_of(const struct wire *wire)
{
    return (struct now){wire->world->now_ms, wire->world->now_ms};
}

static struct cable *cable_find(struct wire *wire, const struct station *node, uint64_t incarnation,
                                uint64_t link)
{
    for (struct cable *c = wire->cables; c != NULL; c = c->next) {
        if (!c->is_gone && c->node == node && c->incarnation == incarnation && c->link == link) {
            return c;
        }
    }
    return NULL;
}

/* --- the end of a cable -------------------------------------------------------------------- */

static void cable_cut(struct cable *cable)
{
    struct conn *conn = cable->conn;
    cable->is_gone = true;
    cable->conn = NULL;
    while (cable->first != NULL) {
        struct letter *next = cable->first->next;
        base_free(cable->first);
        cable->first = next;
    }
    if (conn != NULL) {
        relay_gone(cable->wire->relay, now_of(cable->wire), conn);
    }
}

static void tells_down(void *ctx, uint64_t word)
{
    struct cable *cable = ctx;
    (void)word;
    station_link_down(cable->node, cable->incarnation, cable->link, STR("closed"));
}

/* The node learns of it a little later. */
static void cable_break(struct cable *cable)
{
    struct world *world = cable->wire->world;
    cable_cut(cable);
    agenda_put(&world->agenda, world->now_ms + rng_between(&world->rng, 0, 30), tells_down, cable,
               0);
}

void wire_free(struct wire *wire)
{
    while (wire->cables != NULL) {
        struct cable *next = wire->cables->next;
        if (!wire->cables->is_gone) {
            cable_cut(wire->cables);
        }
        base_free(wire->cables);
        wire->cables = next;
    }
    relay_free(wire->relay);
    base_free(wire);
}

/* --- from the relay ------------------------------------------------------------------------ */

static void arrives_at_node(void *ctx, uint64_t word)
{
    struct letter *letter = ctx;
    struct cable *cable = letter->cable;
    (void)word;
    if (!cable->is_gone) {
        station_link_message(cable->node, cable->incarnation, cable->link,
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
static int64_t arrival(struct world *world, int64_t *last_ms)
{
    int64_t at = world->now_ms + rng_between(&world->rng, 1, 25);
    *last_ms = at > *last_ms ? at : *last_ms;
    return *last_ms;
}

static bool is_cut_now(struct world *world)
{
    uint64_t one_in = world->faults.link_cut_one_in;
    world->counts.link_messages++;
    return one_in != 0 && rng_one_in(&world->rng, one_in);
}

static void relay_read(struct cable *cable);

/* Takes what the relay has to say to everybody, until it is silent. */
static void relay_settle(struct wire *wire)
{
    struct world *world = wire->world;
    struct conn *conn;
    while ((conn = relay_changed(wire->relay)) != NULL) {
        struct cable *cable = conn_socket(conn);
        struct frame *frame;
        while ((frame = conn_first(conn)) != NULL) {
            struct letter *letter =
                letter_new(cable, frame_payload(frame), frame->kind == FRAME_TEXT);
            agenda_put_owned(&world->agenda, arrival(world, &cable->down_ms), arrives_at_node,
                             letter, base_free);
            conn_sent(wire->relay, conn);
        }
        if (conn_closing(conn) != CONN_OPEN) {
            cable_break(cable);
        } else {
            relay_read(cable);
        }
    }
}

static void relay_ticks(void *ctx, uint64_t word);

static void tick_put(struct wire *wire)
{
    int64_t due = relay_due_ms(wire->relay);
    if (due >= 0 && (wire->tick_ms < 0 || due < wire->tick_ms)) {
        wire->tick_ms = due > wire->world->now_ms ? due : wire->world->now_ms + 1;
        agenda_put(&wire->world->agenda, wire->tick_ms, relay_ticks, wire, 0);
    }
}

static void relay_ticks(void *ctx, uint64_t word)
{
    struct wire *wire = ctx;
    (void)word;
    if (wire->tick_ms == wire->world->now_ms) {
        wire->tick_ms = -1;
        relay_tick(wire->relay, now_of(wire));
        relay_settle(wire);
        tick_put(wire);
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
        relay_message(wire->relay, now_of(wire), cable->conn, frame);
        station_link_room(cable->node, cable->incarnation, cable->link, ROOM - cable->on_the_way);
    }
}

static void arrives_at_relay(void *ctx, uint64_t word)
{
    struct letter *letter = ctx;
    struct cable *cable = letter->cable;
    (void)word;
    if (cable->is_gone) {
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
    relay_settle(cable->wire);
    tick_put(cable->wire);
}

static void connects(void *ctx, uint64_t word)
{
    struct cable *cable = ctx;
    struct wire *wire = cable->wire;
    (void)word;
    if (cable->is_gone) {
        return;
    }
    cable->conn = relay_open(wire->relay, now_of(wire), STR("127.0.0.1"), false, cable);
    if (cable->conn == NULL) {
        cable_break(cable);
        return;
    }
    station_link_up(cable->node, cable->incarnation, cable->link);
    relay_settle(wire);
    tick_put(wire);
}

void wire_dial(struct wire *wire, struct station *node, uint64_t incarnation, uint64_t link,
               struct str url)
{
    struct world *world = wire->world;
    struct cable *cable = base_alloc(sizeof(*cable));
    (void)url;
    *cable = (struct cable){
        .next = wire->cables, .wire = wire, .node = node, .incarnation = incarnation, .link = link};
    wire->cables = cable;
    agenda_put(&world->agenda, world->now_ms + rng_between(&world->rng, 1, 40), connects, cable, 0);
}

void wire_send(struct wire *wire, struct station *node, uint64_t incarnation, uint64_t link,
               struct str message, bool is_text)
{
    struct cable *cable = cable_find(wire, node, incarnation, link);
    if (cable == NULL) {
        return;
    }
    if (is_cut_now(wire->world)) {
        cable_break(cable);
        relay_settle(wire);
        return;
    }
    cable->on_the_way += message.n;
    if (cable->on_the_way > ROOM + (size_t)RELAY_MESSAGE_MAX) {
        world_fail(wire->world, "a link's room is not respected");
    }
    agenda_put_owned(&wire->world->agenda, arrival(wire->world, &cable->up_ms), arrives_at_relay,
                     letter_new(cable, message, is_text), base_free);
}

void wire_close(struct wire *wire, struct station *node, uint64_t incarnation, uint64_t link)
{
    struct cable *cable = cable_find(wire, node, incarnation, link);
    if (cable != NULL) {
        cable_cut(cable);
        relay_settle(wire);
    }
}

void wire_node_gone(struct wire *wire, struct station *node)
{
    for (struct cable *c = wire->cables; c != NULL; c = c->next) {
        if (!c->is_gone && c->node == node) {
            cable_cut(c);
        }
    }
    relay_settle(wire);
}
