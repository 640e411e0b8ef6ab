/* Bits, and their text. */
#include "test/sim/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[HAPPENS_KINDS] = {
    "crash", "flush", "cut", "clog", "partition", "relay", "clock", "quota", "act", "attack",
};

const char *happening_name(enum happening kind)
{
    return names[kind];
}

bool schedule_allows(struct schedule *schedule, enum happening kind, size_t number)
{
    if (number >= SCHEDULE_MAX) {
        return !schedule->is_limited;
    }
    if (schedule->is_limited && !schedule->kept[kind][number]) {
        return false;
    }
    schedule->happened[kind][number] = true;
    return true;
}

bool schedule_next(struct schedule *schedule, enum happening kind)
{
    return schedule_allows(schedule, kind, schedule->next[kind]++);
}

/* "0,3-5" */
static const char *numbers_parse(bool *kept, const char *at)
{
    while (*at >= '0' && *at <= '9') {
        char *end;
        unsigned long low = strtoul(at, &end, 10), high = low;
        if (*end == '-') {
            high = strtoul(end + 1, &end, 10);
        }
        for (unsigned long i = low; i <= high && i < SCHEDULE_MAX; i++) {
            kept[i] = true;
        }
        at = *end == ',' ? end + 1 : end;
    }
    return at;
}

bool schedule_parse(struct schedule *schedule, const char *text)
{
    schedule->is_limited = true;
    while (*text != '\0') {
        size_t kind = 0, n = strcspn(text, "= ");
        while (kind < HAPPENS_KINDS &&
               (strlen(names[kind]) != n || strncmp(names[kind], text, n) != 0)) {
            kind++;
        }
        if (kind == HAPPENS_KINDS || text[n] != '=') {
            return false;
        }
        text = numbers_parse(schedule->kept[kind], text + n + 1);
        if (*text != '\0' && *text != ' ') {
            return false;
        }
        text += *text == ' ';
    }
    return true;
}

static void numbers_print(const bool *kept)
{
    const char *separator = "=";
    for (size_t i = 0; i < SCHEDULE_MAX; i++) {
        size_t first = i;
        if (!kept[i]) {
            continue;
        }
        while (i + 1 < SCHEDULE_MAX && kept[i + 1]) {
            i++;
        }
        printf("%s%zu", separator, first);
        if (i > first) {
            printf("-%zu", i);
        }
        separator = ",";
    }
}

void schedule_print(const struct schedule *schedule)
{
    const char *separator = "";
    for (size_t kind = 0; kind < HAPPENS_KINDS; kind++) {
        if (memchr(schedule->kept[kind], true, SCHEDULE_MAX) != NULL) {
            printf("%s%s", separator, names[kind]);
            numbers_print(schedule->kept[kind]);
            separator = " ";
        }
    }
}
