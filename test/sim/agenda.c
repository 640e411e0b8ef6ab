/* A binary heap. */
#include "test/sim/agenda.h"

void agenda_init(struct agenda *agenda)
{
    *agenda = (struct agenda){0};
}

void agenda_release(struct agenda *agenda)
{
    for (size_t i = 0; i < agenda->n; i++) {
        if (agenda->heap[i].release != NULL) {
            agenda->heap[i].release(agenda->heap[i].ctx);
        }
    }
    base_free(agenda->heap);
}

static bool is_before(const struct appointment *a, const struct appointment *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->serial < b->serial);
}

static void swap(struct agenda *agenda, size_t i, size_t j)
{
    struct appointment held = agenda->heap[i];
    agenda->heap[i] = agenda->heap[j];
    agenda->heap[j] = held;
}

static void put(struct agenda *agenda, struct appointment appointment)
{
    if (agenda->n == agenda->cap) {
        agenda->cap = agenda->cap == 0 ? 64 : agenda->cap * 2;
        agenda->heap = base_realloc(agenda->heap, agenda->cap * sizeof(*agenda->heap));
    }
    size_t i = agenda->n++;
    appointment.serial = agenda->serial++;
    agenda->heap[i] = appointment;
    while (i > 0 && is_before(&agenda->heap[i], &agenda->heap[(i - 1) / 2])) {
        swap(agenda, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

void agenda_put(struct agenda *agenda, int64_t at_ms, agenda_fn fn, void *ctx, uint64_t word)
{
    put(agenda, (struct appointment){.at_ms = at_ms, .fn = fn, .ctx = ctx, .word = word});
}

void agenda_put_owned(struct agenda *agenda, int64_t at_ms, agenda_fn fn, void *ctx,
                      void (*release)(void *ctx))
{
    put(agenda, (struct appointment){.at_ms = at_ms, .fn = fn, .ctx = ctx, .release = release});
}

bool agenda_take(struct agenda *agenda, struct appointment *out)
{
    if (agenda->n == 0) {
        return false;
    }
    *out = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->n];
    for (size_t i = 0;;) {
        size_t least = i, left = 2 * i + 1, right = 2 * i + 2;
        if (left < agenda->n && is_before(&agenda->heap[left], &agenda->heap[least])) {
            least = left;
        }
        if (right < agenda->n && is_before(&agenda->heap[right], &agenda->heap[least])) {
            least = right;
        }
        if (least == i) {
            return true;
        }
        swap(agenda, i, least);
        i = least;
    }
}
