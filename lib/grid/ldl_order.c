/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/ldl_order.h"

#include "base/mem.h"
#include "grid/chordal.h"
#include "grid/ordering.h"

#include <stdlib.h>
#include <string.h>

/* Blocks of a piece at most: with everything that an estimate of four lanes has there it stays in a
 * second-level cache of half a MiB. */
enum { PIECE = 400 };

/* The graph in which a block and those tied to it are one vertex. */
struct quotient {
    uint32_t n;
    uint32_t *vertex;       /* [blocks], and room for as many */
    uint32_t *begin, *to;   /* edges, from one end */
    uint32_t *order;        /* [n] */
};

static uint32_t tied_to(const struct pof_ldl_places *p, uint32_t block)
{
    return p->tie ? p->tie[block] : block;
}

static int make_quotient(struct quotient *q, const struct pof_ldl_places *p, struct pof_err *err)
{
    int rc = pof_alloc(&q->vertex, 2 * (size_t)p->blocks, sizeof *q->vertex, err);
    rc = rc ? rc : pof_calloc(&q->begin, (size_t)p->blocks + 2, sizeof *q->begin, err);
    rc = rc ? rc : pof_alloc(&q->to, p->n, sizeof *q->to, err);
    rc = rc ? rc : pof_alloc(&q->order, p->blocks, sizeof *q->order, err);
    if (rc) {
        return rc;
    }
    for (uint32_t b = 0; b < p->blocks; b++) {
        q->vertex[b] = tied_to(p, b) == b ? q->n++ : 0;
    }
    for (uint32_t b = 0; b < p->blocks; b++) {
        q->vertex[b] = q->vertex[tied_to(p, b)];
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t k = 0; k < p->n; k++) {
            uint32_t i = q->vertex[p->row[k]], j = q->vertex[p->col[k]];
            uint32_t low = i < j ? i : j, high = i < j ? j : i;
            if (i == j) {
                continue;
            }
            if (pass == 0) {
                q->begin[low + 2]++;
            } else {
                q->to[q->begin[low + 1]++] = high;
            }
        }
        for (uint32_t k = 0; pass == 0 && k < q->n; k++) {
            q->begin[k + 2] += q->begin[k + 1];
        }
    }
    return 0;
}

/* Each edge once: AMD then has less to sort. mark: [n], zero. */
static void thin(struct quotient *q, uint32_t *mark)
{
    uint32_t kept = 0, from = 0;
    for (uint32_t v = 0; v < q->n; v++) {
        uint32_t until = q->begin[v + 1];
        q->begin[v] = kept;
        for (; from < until; from++) {
            if (mark[q->to[from]] != v + 1) {
                mark[q->to[from]] = v + 1;
                q->to[kept++] = q->to[from];
            }
        }
    }
    q->begin[q->n] = kept;
}

/* --- pieces --- */

/* Of vertices by their rank in AMD's order. */
struct tree {
    uint32_t n;
    uint32_t *parent;  /* in the elimination tree; UINT32_MAX: a root */
    uint32_t *size;    /* blocks of the vertex, then of its subtree */
    uint32_t *root;    /* of the small subtree it is in; UINT32_MAX: in none */
    uint32_t *order;   /* ranks as they are eliminated in the end */
    uint32_t *scratch; /* [n + 2] */
};

/* Edges as columns of the upper triangle by rank; begin: [n + 2], zero. */
static void list_columns(const struct quotient *q, const uint32_t *rank, uint32_t *begin,
                         uint32_t *row)
{
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t v = 0; v < q->n; v++) {
            for (uint32_t e = q->begin[v]; e < q->begin[v + 1]; e++) {
                uint32_t i = rank[v], j = rank[q->to[e]];
                uint32_t low = i < j ? i : j, high = i < j ? j : i;
                if (pass == 0) {
                    begin[high + 2]++;
                } else {
                    row[begin[high + 1]++] = low;
                }
            }
        }
        for (uint32_t k = 0; pass == 0 && k < q->n; k++) {
            begin[k + 2] += begin[k + 1];
        }
    }
}

/* The elimination tree, by compressed paths (J. Liu, ACM Trans. Mathematical Software 12(2), 1986). */
static void find_parents(struct tree *t, const uint32_t *begin, const uint32_t *row,
                         uint32_t *ancestor)
{
    for (uint32_t k = 0; k < t->n; k++) {
        t->parent[k] = ancestor[k] = UINT32_MAX;
        for (uint32_t e = begin[k]; e < begin[k + 1]; e++) {
            uint32_t i = row[e];
            while (ancestor[i] != UINT32_MAX && ancestor[i] != k) {
                uint32_t next = ancestor[i];
                ancestor[i] = k;
                i = next;
            }
            if (ancestor[i] == UINT32_MAX) {
                ancestor[i] = k;
                t->parent[i] = k;
            }
        }
    }
}

/* Small subtrees one after the other, then the rest; each in AMD's order. Returns how many vertices
 * are in small ones. */
static uint32_t sort_subtrees(struct tree *t)
{
    uint32_t *next = t->scratch, small = 0;
    for (uint32_t k = 0; k < t->n; k++) {
        if (t->parent[k] != UINT32_MAX) {
            t->size[t->parent[k]] += t->size[k];
        }
    }
    memset(next, 0, ((size_t)t->n + 2) * sizeof *next);
    for (uint32_t k = t->n; k-- > 0;) {
        uint32_t up = t->parent[k] == UINT32_MAX ? UINT32_MAX : t->root[t->parent[k]];
        t->root[k] = t->size[k] > PIECE ? UINT32_MAX : up == UINT32_MAX ? k : up;
        next[t->root[k] == UINT32_MAX ? t->n : t->root[k]]++;
    }
    for (uint32_t k = 0, sum = 0; k <= t->n; k++) {
        uint32_t count = next[k];
        small = sum;
        next[k] = sum;
        sum += count;
    }
    for (uint32_t k = 0; k < t->n; k++) {
        t->order[next[t->root[k] == UINT32_MAX ? t->n : t->root[k]]++] = k;
    }
    return small;
}

/* As many subtrees as fit make a piece; the last piece is what is in none, perhaps nothing. */
static int cut(const struct tree *t, uint32_t small, uint32_t blocks, struct ldl_pieces *pieces,
               struct pof_err *err)
{
    size_t cap = 0;
    uint32_t at = 0, root = UINT32_MAX, held = 0;
    int rc = pof_grow(&pieces->begin, &cap, 2, sizeof *pieces->begin, err);
    for (uint32_t k = 0; rc == 0 && k < small; k++) {
        uint32_t r = t->root[t->order[k]];
        if (r == root) {
            continue;
        }
        root = r;
        if (pieces->n == 0 || held + t->size[r] > PIECE) {
            rc = pof_grow(&pieces->begin, &cap, (size_t)pieces->n + 3, sizeof *pieces->begin, err);
            if (rc == 0) {
                pieces->begin[pieces->n++] = at;
                held = 0;
            }
        }
        held += t->size[r];
        at += t->size[r];
    }
    if (rc == 0) {
        pieces->begin[pieces->n++] = at;
        pieces->begin[pieces->n] = blocks;
    }
    return rc;
}

static int tree_new(struct tree *t, const struct quotient *q, struct pof_err *err)
{
    t->n = q->n;
    int rc = pof_alloc(&t->parent, q->n, sizeof *t->parent, err);
    rc = rc ? rc : pof_alloc(&t->size, q->n, sizeof *t->size, err);
    rc = rc ? rc : pof_alloc(&t->root, q->n, sizeof *t->root, err);
    rc = rc ? rc : pof_alloc(&t->order, q->n, sizeof *t->order, err);
    return rc ? rc : pof_alloc(&t->scratch, (size_t)q->n + 2, sizeof *t->scratch, err);
}

static void tree_free(struct tree *t)
{
    free(t->parent);
    free(t->size);
    free(t->root);
    free(t->order);
    free(t->scratch);
}

/* Rearranges q->order; size: blocks of each vertex, more than fit a piece where it is to be in the
 * last one, which then holds the way from there to the root too. */
static int make_pieces(struct quotient *q, const uint32_t *size, uint32_t blocks,
                       struct ldl_pieces *pieces, struct pof_err *err)
{
    struct tree t = {0};
    uint32_t *begin = NULL, *row = NULL, *rank = NULL;
    int rc = tree_new(&t, q, err);
    rc = rc ? rc : pof_calloc(&begin, (size_t)q->n + 2, sizeof *begin, err);
    rc = rc ? rc : pof_alloc(&row, q->begin[q->n], sizeof *row, err);
    rc = rc ? rc : pof_alloc(&rank, q->n, sizeof *rank, err);
    if (rc == 0) {
        for (uint32_t k = 0; k < q->n; k++) {
            rank[q->order[k]] = k;
            t.size[k] = size[q->order[k]];
        }
        list_columns(q, rank, begin, row);
        find_parents(&t, begin, row, t.scratch);
        uint32_t small = sort_subtrees(&t);
        rc = cut(&t, small, blocks, pieces, err);
        for (uint32_t k = 0; k < q->n; k++) {
            rank[k] = q->order[t.order[k]];
        }
        memcpy(q->order, rank, q->n * sizeof *rank);
    }
    free(rank);
    free(row);
    free(begin);
    tree_free(&t);
    return rc;
}

/* --- the whole --- */

/* Inside of a vertex the block that others are tied to comes first, then those by number. at: [n]. */
static void number_blocks(const struct quotient *q, const struct pof_ldl_places *p,
                          const uint32_t *size, uint32_t *at, uint32_t *place)
{
    uint32_t done = 0;
    for (uint32_t k = 0; k < q->n; k++) {
        at[q->order[k]] = done;
        done += size[q->order[k]];
    }
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t b = 0; b < p->blocks; b++) {
            if ((tied_to(p, b) == b) == (pass == 0)) {
                place[b] = at[q->vertex[b]]++;
            }
        }
    }
}

int pofi_ldl_order(const struct pof_ldl_places *p, uint32_t *place, struct ldl_pieces *pieces,
                   struct pof_err *err)
{
    struct quotient q = {0};
    uint32_t *size = NULL;
    *pieces = (struct ldl_pieces){0};
    int rc = make_quotient(&q, p, err);
    rc = rc ? rc : pof_calloc(&size, p->blocks, sizeof *size, err);
    bool found = false;
    if (rc == 0) {
        thin(&q, size);
        rc = pof_order_chordal(q.n, q.begin, q.to, q.order, &found, err);
    }
    rc = rc || found ? rc : pof_order_amd(q.n, q.begin, q.to, q.order, err);
    if (rc == 0) {
        memset(size, 0, p->blocks * sizeof *size);
        for (uint32_t b = 0; b < p->blocks; b++) {
            size[q.vertex[b]]++;
        }
        uint32_t *wanted = q.vertex + p->blocks;
        memcpy(wanted, size, q.n * sizeof *size);
        for (uint32_t b = 0; p->last && b < p->blocks; b++) {
            wanted[q.vertex[b]] = p->last[b] ? PIECE + 1 : wanted[q.vertex[b]];
        }
        rc = make_pieces(&q, wanted, p->blocks, pieces, err);
    }
    if (rc == 0) {
        number_blocks(&q, p, size, q.begin, place);
    } else {
        free(pieces->begin);
        pieces->begin = NULL;
    }
    free(size);
    free(q.order);
    free(q.to);
    free(q.begin);
    free(q.vertex);
    return rc;
}
