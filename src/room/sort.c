/* Kahn's algorithm with a heap of those that wait for nothing. */
#include "room/sort.h"

struct heap {
    struct sort_node **at;
    size_t n;
};

static bool is_before(const struct sort_node *x, const struct sort_node *y)
{
    if (x->power != y->power) {
        return x->power > y->power;
    }
    if (x->k->ev->origin_server_ts != y->k->ev->origin_server_ts) {
        return x->k->ev->origin_server_ts < y->k->ev->origin_server_ts;
    }
    return str_cmp(x->k->ev->id, y->k->ev->id) < 0;
}

static void heap_push(struct heap *h, struct sort_node *node)
{
    size_t i = h->n;
    h->n++;
    while (i > 0 && is_before(node, h->at[(i - 1) / 2])) {
        h->at[i] = h->at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->at[i] = node;
}

static struct sort_node *heap_pop(struct heap *h)
{
    struct sort_node *top = h->at[0];
    h->n--;
    struct sort_node *last = h->at[h->n];
    size_t i = 0;
    while (2 * i + 1 < h->n) {
        size_t child = 2 * i + 1;
        if (child + 1 < h->n && is_before(h->at[child + 1], h->at[child])) {
            child++;
        }
        if (!is_before(h->at[child], last)) {
            break;
        }
        h->at[i] = h->at[child];
        i = child;
    }
    h->at[i] = last;
    return top;
}

/* Who cites whom, turned round: citing[first[i] .. first[i + 1]] wait for node i. */
struct reversed {
    size_t *first;
    size_t *citing;
};

static struct reversed reverse(struct arena *a, struct sort_node *nodes, size_t n)
{
    struct reversed r = {arena_array(a, n + 2, sizeof(size_t)), NULL};
    size_t n_edges = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < nodes[i].k->n_auth; j++) {
            if (nodes[i].k->auth[j]->in_graph) {
                r.first[nodes[i].k->auth[j]->index + 2]++;
                nodes[i].n_waits++;
                n_edges++;
            }
        }
    }
    for (size_t i = 2; i < n + 2; i++) {
        r.first[i] += r.first[i - 1];
    }
    r.citing = arena_array(a, n_edges, sizeof(size_t));
    /* first[i + 1] is the next free place of node i, and its end when all are placed. */
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < nodes[i].k->n_auth; j++) {
            if (nodes[i].k->auth[j]->in_graph) {
                size_t *place = &r.first[nodes[i].k->auth[j]->index + 1];
                r.citing[*place] = i;
                *place += 1;
            }
        }
    }
    return r;
}

struct known **sort_power(struct arena *a, struct sort_node *nodes, size_t *n)
{
    struct known **order = arena_array(a, *n, sizeof(struct known *));
    struct heap heap = {arena_array(a, *n, sizeof(struct sort_node *)), 0};
    struct reversed r = reverse(a, nodes, *n);
    size_t n_order = 0;
    for (size_t i = 0; i < *n; i++) {
        if (nodes[i].n_waits == 0) {
            heap_push(&heap, &nodes[i]);
        }
    }
    while (heap.n > 0) {
        const struct sort_node *node = heap_pop(&heap);
        order[n_order] = node->k;
        n_order++;
        for (size_t e = r.first[node->k->index]; e < r.first[node->k->index + 1]; e++) {
            struct sort_node *waiting = &nodes[r.citing[e]];
            waiting->n_waits--;
            if (waiting->n_waits == 0) {
                heap_push(&heap, waiting);
            }
        }
    }
    *n = n_order;
    return order;
}
