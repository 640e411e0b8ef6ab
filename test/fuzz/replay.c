/* Runs a fuzzer's function over its kept corpus, and over mutants of it that are the same each
 * time: what libFuzzer does for minutes, as a test of a second. replay FOLDER MUTANTS */
#include "test/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_READ = 1 << 16 };

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A copy on the heap of exactly this size, so that a byte read behind it is seen. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void mutate(uint8_t *data, size_t *size, uint32_t *state)
{
    for (uint32_t i = next(state) % 4; i < 4 && *size > 0; i++) {
        size_t at = next(state) % *size;
        switch (next(state) % 5) {
        case 0:
            data[at] = (uint8_t)next(state);
            break;
        case 1:
            data[at] ^= (uint8_t)(1u << (next(state) % 8));
            break;
        case 2:
            *size = at;
            break;
        case 3: /* drop a byte */
            memmove(data + at, data + at + 1, *size - at - 1);
            *size -= 1;
            break;
        default: /* repeat a part */
            if (*size < SIZE_MAX_READ / 2) {
                memmove(data + at + (*size - at), data + at, *size - at);
                *size += *size - at;
            }
            break;
        }
    }
}

static size_t replay_file(const char *path, long mutants)
{
    static uint8_t original[SIZE_MAX_READ];
    static uint8_t mutant[SIZE_MAX_READ];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    size_t n = fread(original, 1, sizeof(original), file);
    (void)fclose(file);
    run(original, n);
    uint32_t state = 2463534242u;
    for (long i = 0; i < mutants; i++) {
        size_t size = n;
        memcpy(mutant, original, n);
        mutate(mutant, &size, &state);
        run(mutant, size);
    }
    return 1;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 3 ? opendir(argv[1]) : NULL;
    long mutants = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    size_t files = 0;
    if (folder == NULL) {
        (void)fprintf(stderr, "usage: replay FOLDER MUTANTS\n");
        return 2;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[1024];
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
            files += replay_file(path, mutants);
        }
    }
    (void)closedir(folder);
    printf("%s 1 - %zu files of %s, and %ld mutants of each\n", files > 0 ? "ok" : "not ok", files,
           argv[1], mutants);
    return files > 0 ? 0 : 1;
}
