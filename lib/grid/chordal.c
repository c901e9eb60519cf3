/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/chordal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* A search. Vertices that wait are in lists by how many of their neighbours were visited. */
struct search {
    uint32_t n;
    uint32_t *begin, *to;    /* edges from both ends */
    uint32_t *head;          /* [n] of lists; NONE: empty */
    uint32_t *next, *before; /* [n] */
    uint32_t *visited;       /* [n] neighbours */
    uint32_t *rank;          /* [n] NONE: waits */
};

static void push(struct search *s, uint32_t v)
{
    uint32_t *head = &s->head[s->visited[v]];
    s->next[v] = *head;
    s->before[v] = NONE;
    if (*head != NONE) {
        s->before[*head] = v;
    }
    *head = v;
}

static void pull(struct search *s, uint32_t v)
{
    if (s->before[v] == NONE) {
        s->head[s->visited[v]] = s->next[v];
    } else {
        s->next[s->before[v]] = s->next[v];
    }
    if (s->next[v] != NONE) {
        s->before[s->next[v]] = s->before[v];
    }
}

/* The vertex with most visited neighbours next; what is visited first is eliminated last. */
static void visit_all(struct search *s, uint32_t *order)
{
    uint32_t most = 0;
    for (uint32_t v = s->n; v-- > 0;) {
        push(s, v);
    }
    for (uint32_t k = s->n; k-- > 0;) {
        while (s->head[most] == NONE) {
            most--;
        }
        uint32_t v = s->head[most];
        pull(s, v);
        s->rank[v] = k;
        order[k] = v;
        for (uint32_t e = s->begin[v]; e < s->begin[v + 1]; e++) {
            uint32_t u = s->to[e];
            if (s->rank[u] == NONE) {
                pull(s, u);
                s->visited[u]++;
                push(s, u);
                most = s->visited[u] > most ? s->visited[u] : most;
            }
        }
    }
}

/* The neighbours of each vertex that are eliminated after it must all be joined to the first of them;
 * children of a vertex are those it is the first for, in lists from head. */
static bool fits(struct search *s, const uint32_t *order)
{
    uint32_t *mark = s->before; /* [n] the vertex whose neighbours were marked last, from 1 */
    memset(s->head, 0xff, s->n * sizeof *s->head);
    memset(mark, 0, s->n * sizeof *mark);
    for (uint32_t v = 0; v < s->n; v++) {
        uint32_t first = NONE;
        for (uint32_t e = s->begin[v]; e < s->begin[v + 1]; e++) {
            uint32_t r = s->rank[s->to[e]];
            first = r > s->rank[v] && r < first ? r : first;
        }
        if (first != NONE) {
            s->next[v] = s->head[order[first]];
            s->head[order[first]] = v;
        }
    }
    for (uint32_t p = 0; p < s->n; p++) {
        for (uint32_t e = s->begin[p]; s->head[p] != NONE && e < s->begin[p + 1]; e++) {
            mark[s->to[e]] = p + 1;
        }
        mark[p] = p + 1;
        for (uint32_t v = s->head[p]; v != NONE; v = s->next[v]) {
            for (uint32_t e = s->begin[v]; e < s->begin[v + 1]; e++) {
                if (s->rank[s->to[e]] > s->rank[v] && mark[s->to[e]] != p + 1) {
                    return false;
                }
            }
        }
    }
    return true;
}

static void list_both_ends(struct search *s, const uint32_t *begin, const uint32_t *to)
{
    uint32_t *next = s->begin + 1; /* counted one place further on: filling leaves the starts there */
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t v = 0; v < s->n; v++) {
            for (uint32_t e = begin[v]; e < begin[v + 1]; e++) {
                if (pass == 0) {
                    next[v + 1]++;
                    next[to[e] + 1]++;
                } else {
                    s->to[next[v]++] = to[e];
                    s->to[next[to[e]]++] = v;
                }
            }
        }
        for (uint32_t v = 0; pass == 0 && v < s->n; v++) {
            next[v + 1] += next[v];
        }
    }
}

int pof_order_chordal(uint32_t n, const uint32_t *begin, const uint32_t *to, uint32_t *order, bool *found,
                      struct pof_err *err)
{
    struct search s = {.n = n};
    *found = false;
    int rc = pof_calloc(&s.begin, (size_t)n + 2, sizeof *s.begin, err);
    rc = rc ? rc : pof_alloc(&s.to, 2 * (size_t)begin[n], sizeof *s.to, err);
    rc = rc ? rc : pof_alloc(&s.head, n, sizeof *s.head, err);
    rc = rc ? rc : pof_alloc(&s.next, n, sizeof *s.next, err);
    rc = rc ? rc : pof_alloc(&s.before, n, sizeof *s.before, err);
    rc = rc ? rc : pof_calloc(&s.visited, n, sizeof *s.visited, err);
    rc = rc ? rc : pof_alloc(&s.rank, n, sizeof *s.rank, err);
    if (rc == 0 && n > 0) {
        list_both_ends(&s, begin, to);
        memset(s.head, 0xff, n * sizeof *s.head);
        memset(s.rank, 0xff, n * sizeof *s.rank);
        visit_all(&s, order);
        *found = fits(&s, order);
    }
    uint32_t *owned[] = {s.begin, s.to, s.head, s.next, s.before, s.visited, s.rank};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    return rc;
}
