/* The town, and the words by which a row speaks of it. */
#include "test/faults/place.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

enum { WORDS_MAX = 24, TEXT_MAX = 8192, SETTLED_MS = 120000 };

struct word {
    const char *name;
    struct str text;
    const char *proof; /* of people: the header line */
    int house;
};

struct place {
    struct arena *a;
    struct disk *disk, *made, *empty;
    struct now now;
    uint64_t next_id;
    struct word words[WORDS_MAX];
    size_t n;
};

const char *place_path(int house)
{
    static const char *const paths[PLACE_HOUSES] = {"here.db", "there.db"};
    return paths[house];
}

enum err place_open(const struct place *p, struct town *t, int house)
{
    return town_open(t, house, str_of(place_path(house)), disk_name(p->disk));
}

/* --- words ------------------------------------------------------------------------------------ */

static struct word *word_put(struct place *p, const char *name, struct str text)
{
    struct word *w = &p->words[p->n++];
    assert(p->n <= WORDS_MAX);
    *w = (struct word){name, arena_str(p->a, text), "", 0};
    return w;
}

static const struct word *word_find(const struct place *p, struct str name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (str_eq(str_of(p->words[i].name), name)) {
            return &p->words[i];
        }
    }
    return NULL;
}

/* Not every "$" begins a word: event ids do as well. */
static const char *fill(const struct place *p, struct town *t, const char *text)
{
    struct buf out;
    buf_init_in(&out, t->a, TEXT_MAX);
    for (const char *at = text; *at != '\0';) {
        size_t n = *at == '$' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz") : 0;
        const struct word *w = n == 0 ? NULL : word_find(p, str_make(at + 1, n));
        buf_add(&out, w != NULL ? w->text : str_make(at, 1));
        at += w != NULL ? n + 1 : 1;
    }
    buf_add_char(&out, '\0');
    assert(!out.overflow);
    return buf_str(&out).p;
}

/* --- making it -------------------------------------------------------------------------------- */

static const char *person(struct place *p, struct town *t, int house, const char *name)
{
    const char *proof = town_user(t, house, name);
    struct word *w = word_put(p, name, str_of(town_user_id(t, house, name)));
    w->proof = arena_str(p->a, str_of(proof)).p;
    w->house = house;
    return w->proof;
}

static void talk(struct place *p, struct town *t)
{
    const char *alice = person(p, t, 0, "alice");
    const char *bob = person(p, t, 0, "bob");
    const char *dave = person(p, t, 0, "dave");
    const char *carol = person(p, t, 1, "carol");
    const char *erin = person(p, t, 1, "erin");
    struct str room = town_room(t, 0, alice, "{\"preset\":\"public_chat\"}");
    struct str den =
        town_room(t, 0, alice, town_text(t, "{\"invite\":[\"%s\"]}", town_user_id(t, 0, "dave")).p);
    struct str lobby = town_room(t, 1, carol, "{\"preset\":\"public_chat\"}");
    bool ok = town_join(t, 0, bob, room, 0) && town_join(t, 1, carol, room, 0);
    (void)dave;
    (void)erin;
    for (int i = 0; i < 5; i++) {
        (void)town_say(t, 0, bob, room, "before");
    }
    word_put(p, "room", room);
    word_put(p, "den", den);
    word_put(p, "lobby", lobby);
    word_put(p, "event", town_say(t, 0, alice, room, "said before"));
    word_put(p, "here", town_name(t, 0));
    word_put(p, "there", town_name(t, 1));
    ok = ok && town_ask(t, 0, "", "POST /_matrix/client/v3/login",
                        "{\"type\":\"m.login.password\",\"user\":\"alice\",\"password\":\"p\","
                        "\"device_id\":\"HOME\"}") == 200;
    ok = ok && town_ask(t, 0, alice, "GET /_matrix/client/v3/sync", "") == 200;
    assert(ok);
    word_put(p, "since", json_get_text(t->answer, "next_batch"));
}

static void open_all(const struct place *p, struct town *t)
{
    for (int house = 0; house < PLACE_HOUSES; house++) {
        enum err err = place_open(p, t, house);
        assert(err == ERR_NONE);
    }
}

struct place *place_new(struct disk *disk)
{
    struct arena *a = arena_new();
    struct place *p = ARENA_NEW(a, struct place);
    struct town *t = town_new(0);
    *p = (struct place){.a = a, .disk = disk, .made = disk_new("made"), .empty = disk_new("empty")};
    t->n = PLACE_HOUSES;
    open_all(p, t);
    talk(p, t);
    town_pass(t, SETTLED_MS);
    open_all(p, t); /* the log is short again, and the next opening reads it */
    word_put(p, "said",
             town_say(t, 0, word_find(p, STR("alice"))->proof, word_find(p, STR("den"))->text,
                      "said before"));
    town_pass(t, SETTLED_MS);
    p->now = t->now;
    p->next_id = t->next_id;
    disk_copy(p->made, disk, REMAINS_WRITTEN, 0);
    town_free(t);
    return p;
}

void place_free(struct place *p)
{
    disk_free(p->made);
    disk_free(p->empty);
    arena_free(p->a);
}

/* --- using it --------------------------------------------------------------------------------- */

static struct town *town_on(const struct place *p, const struct disk *disk)
{
    struct town *t = town_new(0);
    disk_copy(p->disk, disk, REMAINS_WRITTEN, 0);
    t->n = PLACE_HOUSES;
    t->now = p->now;
    t->next_id = p->next_id;
    for (int house = 0; house < PLACE_HOUSES; house++) {
        t->houses[house].openings = 1; /* other randomness than when it was made */
    }
    return t;
}

struct town *place_town(const struct place *p)
{
    return town_on(p, p->made);
}

struct town *place_town_empty(const struct place *p)
{
    return town_on(p, p->empty);
}

int place_do(const struct place *p, struct town *t, const struct operation *op)
{
    const struct word *w = word_find(p, str_of(op->who));
    const char *proof = w == NULL ? "" : w->proof;
    struct str headers = town_text(t, "%sneurite-request-id: the-one\r\n", proof);
    return town_ask(t, w == NULL ? 0 : w->house, headers.p, fill(p, t, op->line),
                    fill(p, t, op->body));
}

int place_read(const struct place *p, struct town *t, const char *path)
{
    const char *line = town_text(t, "GET %s", fill(p, t, path)).p;
    return town_ask(t, 0, word_find(p, STR("alice"))->proof, line, "");
}
