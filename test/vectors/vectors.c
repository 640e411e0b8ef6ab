/* Checks golden data of a real server: vectors MENDS.json FILE.json... Each file is either a room
 * read back from its database ("events") or a list of random rooms with decisions and merges
 * ("rooms"). Prints a line a file and a summary; exits 1 if anything differs or nothing was
 * checked.
 *
 * MENDS: a few m.room.power_levels of the second kind were changed between being judged and being
 * written down, as their hashes and ids show. The file has, by content hash, the entries to put
 * back (null: to remove); that the hash then fits is the proof. */
#include "vectors/vectors.h"

#include <stdio.h>

#include "crypto/hash.h"

static const char *const kind_names[TALLY_KINDS] = {
    [TALLY_CANONICAL] = "canonical forms", [TALLY_HASH] = "content hashes",
    [TALLY_SIGNATURE] = "signatures",      [TALLY_ID] = "ids",
    [TALLY_REDACTION] = "redactions",      [TALLY_SELECTION] = "auth events selections",
    [TALLY_AUTH] = "events authorised",    [TALLY_STATE] = "final states",
    [TALLY_DECISION] = "decisions",        [TALLY_MERGE] = "merges",
    [TALLY_MENDED] = "events mended",
};

enum { COMPLAINTS_MAX = 5, FILE_SIZE_MAX = 64 * 1024 * 1024 };

void tally_check(struct tally *t, enum tally_kind kind, bool same, struct str id, const char *note)
{
    t->checked[kind]++;
    if (!same) {
        t->differ[kind]++;
        if (t->differ[kind] <= COMPLAINTS_MAX) {
            printf("%s: %s differ at %.*s: %s\n", t->file, kind_names[kind], STR_ARG(id),
                   note == NULL ? "" : note);
        }
    }
}

static bool read_file(const char *name, struct buf *out)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        return false;
    }
    for (;;) {
        unsigned char *to = buf_reserve(out, 65536);
        size_t n = to == NULL ? 0 : fread(to, 1, 65536, file);
        if (n == 0) {
            break;
        }
        out->n += n;
    }
    bool good = ferror(file) == 0 && !out->overflow;
    (void)fclose(file);
    return good;
}

static struct json *parse_file(struct arena *a, const char *name, const char **why)
{
    struct json *file = NULL;
    struct buf text;
    *why = "cannot be read";
    buf_init(&text, FILE_SIZE_MAX);
    if (read_file(name, &text) && json_parse(a, buf_str(&text), &file, why) != ERR_NONE) {
        file = NULL;
    }
    buf_release(&text);
    return file;
}

static bool check_file(const char *name, struct tally *sum)
{
    struct arena *a = arena_new();
    struct tally t = {.file = name, .mends = sum->mends};
    const char *why;
    const struct json *file = parse_file(a, name, &why);
    bool good = file != NULL;
    if (good) {
        t.version = json_get_text(file, "room_version");
        good = room_version_find(t.version) != NULL;
        why = "unknown room version";
    }
    if (!good) {
        printf("%s: %s\n", name, why);
    } else if (json_get_array(file, "rooms") != NULL) {
        check_rules(&t, a, file);
    } else {
        check_events(&t, a, file);
    }
    if (good) {
        printf("room version %.*s:", STR_ARG(t.version));
    }
    for (int i = 0; i < TALLY_KINDS; i++) {
        sum->checked[i] += t.checked[i];
        sum->differ[i] += t.differ[i];
        if (t.checked[i] > 0) {
            printf(" %lu %s (%lu differ)", t.checked[i], kind_names[i], t.differ[i]);
        }
    }
    printf("\n");
    arena_free(a);
    return good;
}

int main(int argc, char **argv)
{
    struct tally sum = {0};
    unsigned long checked = 0;
    unsigned long differ = 0;
    const char *why = "";
    struct arena *a = arena_new();
    crypto_start();
    sum.mends = argc > 2 ? parse_file(a, argv[1], &why) : NULL;
    bool good = sum.mends != NULL;
    if (!good) {
        printf("usage: vectors MENDS.json FILE.json... %s\n", why);
    }
    for (int i = 2; i < argc; i++) {
        good = check_file(argv[i], &sum) && good;
    }
    printf("checked:");
    for (int i = 0; i < TALLY_KINDS; i++) {
        checked += sum.checked[i];
        differ += sum.differ[i];
        printf("%s %lu %s", i == 0 ? "" : ",", sum.checked[i], kind_names[i]);
    }
    printf("; %lu differ\n", differ);
    arena_free(a);
    return good && checked > 0 && differ == 0 ? 0 : 1;
}
