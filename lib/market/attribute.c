/* SPDX-License-Identifier: Apache-2.0 */
/* Taken watts shared out among requests, from the deepest areas up. */
#include "market/attribute.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "market/need.h"

#include <stdlib.h>
#include <string.h>

/* --- pools: pairing heaps of numbers (M. Fredman et al., Algorithmica 1, 1986) --- */

/* Links of all heaps over the numbers 0 .. n-1; the smallest comes out first. */
struct pool {
    uint32_t *child, *sibling;
};

static int pool_init(struct pool *p, size_t n, struct pof_err *err) {
    int rc = pof_calloc(&p->child, n, sizeof *p->child, err);
    return rc ? rc : pof_calloc(&p->sibling, n, sizeof *p->sibling, err);
}

static void pool_release(struct pool *p) {
    free(p->child);
    free(p->sibling);
}

static uint32_t pool_single(struct pool *p, uint32_t x) {
    p->child[x] = p->sibling[x] = POF_NONE;
    return x;
}

static uint32_t pool_meld(struct pool *p, uint32_t a, uint32_t b) {
    if (a == POF_NONE || b == POF_NONE) {
        return a == POF_NONE ? b : a;
    }
    uint32_t top = a < b ? a : b, under = a < b ? b : a;
    p->sibling[under] = p->child[top];
    p->child[top] = under;
    return top;
}

/* The heap without its top: children melded in pairs, then the pairs from the last on. */
static uint32_t pool_pop(struct pool *p, uint32_t top) {
    uint32_t pairs = POF_NONE, next = p->child[top];
    while (next != POF_NONE) {
        uint32_t a = next, b = p->sibling[a];
        next = b == POF_NONE ? POF_NONE : p->sibling[b];
        p->sibling[a] = POF_NONE;
        if (b != POF_NONE) {
            p->sibling[b] = POF_NONE;
        }
        uint32_t pair = pool_meld(p, a, b);
        p->sibling[pair] = pairs;
        pairs = pair;
    }
    uint32_t rest = POF_NONE;
    while (pairs != POF_NONE) {
        uint32_t pair = pairs;
        pairs = p->sibling[pair];
        p->sibling[pair] = POF_NONE;
        rest = pool_meld(p, rest, pair);
    }
    return rest;
}

/* --- what is shared out --- */

/* A taken offer; items are numbered in merit order. */
struct item {
    size_t offer;
    int64_t price_ueur;
    uint32_t rank;
    int64_t left_w;
};

/* One direction in one area (by place). */
struct side {
    uint32_t pool;    /* items with something left */
    int64_t taken_w;  /* in the area */
    int64_t served_w; /* of these, shared out to requests */
};

struct job {
    const struct pof_clear_problem *problem;
    struct pof_shares *out;
    struct pof_need *need;
    struct item *item;
    uint32_t *item_at; /* items in order of place; those of a place end at item_end */
    uint32_t *merit;   /* [offers] the item of a taken offer */
    size_t items;
    struct pool pool;
    struct side (*side)[2]; /* [nodes][direction] by place */
};

static void job_release(struct job *j) {
    free(j->need);
    free(j->item);
    free(j->item_at);
    free(j->merit);
    free(j->side);
    pool_release(&j->pool);
}

static enum pof_direction opposite(enum pof_direction d) {
    return d == POF_UP ? POF_DOWN : POF_UP;
}

static int add_share(struct job *j, struct pof_share share, struct pof_err *err) {
    int rc = pof_grow(&j->out->share, &j->out->cap, j->out->n + 1, sizeof share, err);
    if (rc == 0) {
        j->out->share[j->out->n++] = share;
    }
    return rc;
}

static uint32_t place_of(const struct job *j, size_t offer) {
    return j->problem->forest->pos[j->problem->offer[offer].node];
}

/* Room for n keys and as many to sort them with. */
static int make_keys(struct pof_key **key, size_t n, struct pof_err *err) {
    return pof_calloc(key, 2 * n, sizeof **key, err);
}

/* Items in merit order: by rank, then by price, which stays so among equals. */
static int sort_items(struct job *j, struct pof_err *err) {
    const uint64_t bias = UINT64_C(1) << 63; /* prices below 0 come first */
    struct pof_key *key;
    struct item *sorted;
    size_t n = j->items;
    int rc = make_keys(&key, n, err);
    if (rc) {
        return rc;
    }
    for (size_t k = 0; k < n; k++) {
        key[k] = (struct pof_key){j->item[k].rank, k};
    }
    pof_sort_keys(key, key + n, n);
    for (size_t k = 0; k < n; k++) {
        key[k].key = (uint64_t)j->item[key[k].value].price_ueur ^ bias;
    }
    pof_sort_keys(key, key + n, n);
    rc = pof_calloc(&sorted, n, sizeof *sorted, err);
    for (size_t k = 0; rc == 0 && k < n; k++) {
        sorted[k] = j->item[key[k].value];
        j->merit[sorted[k].offer] = (uint32_t)k;
    }
    free(key);
    if (rc == 0) {
        free(j->item);
        j->item = sorted;
    }
    return rc;
}

static int list_items(struct job *j, const int64_t *taken, struct pof_err *err) {
    const struct pof_clear_problem *p = j->problem;
    size_t n = 0;
    for (size_t i = 0; i < p->offers; i++) {
        n += taken[i] > 0;
    }
    int rc = pof_calloc(&j->item, n, sizeof *j->item, err);
    rc = rc ? rc : pof_calloc(&j->merit, p->offers, sizeof *j->merit, err);
    rc = rc ? rc : pof_calloc(&j->need, p->requests, sizeof *j->need, err);
    rc = rc ? rc : pof_calloc(&j->side, p->forest->n, sizeof *j->side, err);
    rc = rc ? rc : pool_init(&j->pool, n, err);
    for (size_t i = 0; rc == 0 && i < p->offers; i++) {
        if (taken[i] > 0) {
            const struct pof_clear_offer *o = &p->offer[i];
            j->item[j->items++] = (struct item){i, o->price_ueur, o->rank, taken[i]};
        }
    }
    if (rc == 0) {
        pof_needs_build(j->need, p);
    }
    return rc || n == 0 ? rc : sort_items(j, err);
}

static void clear_sides(struct job *j) {
    for (uint32_t at = 0; at < j->problem->forest->n; at++) {
        for (int d = 0; d < 2; d++) {
            j->side[at][d] = (struct side){.pool = POF_NONE};
        }
    }
}

/* --- 1: requests --- */

/* One stack of requests takes from its area. side[opposite] tells what goes against it. */
static int serve(struct job *j, struct side side[2], size_t i, size_t end, struct pof_err *err) {
    enum pof_direction d = j->need[i].direction;
    struct side *own = &side[d];
    int64_t counted = own->served_w - side[opposite(d)].taken_w;
    counted = counted > 0 ? counted : 0;
    int rc = 0;
    for (; rc == 0 && i < end; i++) {
        int64_t part = counted < j->need[i].p_w ? counted : j->need[i].p_w;
        int64_t want = j->need[i].p_w - part;
        counted -= part;
        while (rc == 0 && want > 0 && own->pool != POF_NONE) {
            struct item *top = &j->item[own->pool];
            int64_t w = top->left_w < want ? top->left_w : want;
            rc = add_share(
                j, (struct pof_share){j->need[i].request, POF_AWARD_REQUEST, top->offer, w}, err);
            want -= w;
            top->left_w -= w;
            own->served_w += w;
            if (top->left_w == 0) {
                own->pool = pool_pop(&j->pool, own->pool);
            }
        }
    }
    return rc;
}

static void meld_side(struct job *j, struct side to[2], const struct side from[2]) {
    for (int d = 0; d < 2; d++) {
        to[d].pool = pool_meld(&j->pool, to[d].pool, from[d].pool);
        to[d].taken_w += from[d].taken_w;
        to[d].served_w += from[d].served_w;
    }
}

static int serve_all(struct job *j, struct side side[2], bool own, size_t *next,
                     struct pof_err *err) {
    size_t n = j->problem->requests;
    uint32_t place = *next < n ? j->need[*next].place : POF_NONE;
    int rc = 0;
    while (rc == 0 && *next < n && j->need[*next].place == place && j->need[*next].own == own) {
        size_t end = pof_stack_end(j->need, *next, n);
        rc = serve(j, side, *next, end, err);
        *next = end;
    }
    return rc;
}

/* Items by place, so that a place finds its own; a counting sort keeps them in merit order. */
static int sort_by_place(struct job *j, uint32_t **end, struct pof_err *err) {
    uint32_t n = j->problem->forest->n;
    int rc = pof_calloc(end, (size_t)n + 1, sizeof **end, err);
    rc = rc ? rc : pof_calloc(&j->item_at, j->items, sizeof *j->item_at, err);
    if (rc) {
        return rc;
    }
    for (size_t k = 0; k < j->items; k++) {
        (*end)[place_of(j, j->item[k].offer) + 1]++;
    }
    for (uint32_t at = 0; at < n; at++) {
        (*end)[at + 1] += (*end)[at];
    }
    for (size_t k = 0; k < j->items; k++) {
        j->item_at[(*end)[place_of(j, j->item[k].offer)]++] = (uint32_t)k;
    }
    return 0;
}

static int serve_requests(struct job *j, struct pof_err *err) {
    const struct pof_forest *f = j->problem->forest;
    uint32_t *end = NULL;
    size_t next_item = 0, next_need = 0, n = j->problem->requests;
    int rc = sort_by_place(j, &end, err);
    clear_sides(j);
    for (uint32_t at = 0; rc == 0 && at < f->n; at++) {
        struct side own[2] = {{.pool = POF_NONE}, {.pool = POF_NONE}};
        for (; next_item < end[at]; next_item++) {
            uint32_t k = j->item_at[next_item];
            struct side *s = &own[j->problem->offer[j->item[k].offer].direction];
            s->pool = pool_meld(&j->pool, s->pool, pool_single(&j->pool, k));
            s->taken_w += j->item[k].left_w;
        }
        bool asked = next_need < n && j->need[next_need].place == at;
        rc = asked ? serve_all(j, own, true, &next_need, err) : 0;
        meld_side(j, j->side[at], own);
        asked = next_need < n && j->need[next_need].place == at;
        rc = rc == 0 && asked ? serve_all(j, j->side[at], false, &next_need, err) : rc;
        if (f->up[at] != POF_NONE) {
            meld_side(j, j->side[f->up[at]], j->side[at]);
        }
    }
    free(end);
    return rc;
}

/* --- order --- */

static bool same_row(const struct pof_share *a, const struct pof_share *b) {
    return a->request == b->request && a->why == b->why && a->offer == b->offer;
}

/* Sorts by request, why and merit, and joins what an offer gives to one request in several pieces. */
static int put_in_order(struct job *j, struct pof_err *err) {
    struct pof_shares *out = j->out;
    struct pof_share *from = out->share;
    struct pof_key *key;
    size_t n = out->n;
    int rc = make_keys(&key, n, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t why = from[i].why; /* one of two; requests are fewer than 2^31, as memory is */
        key[i] = (struct pof_key){(uint64_t)from[i].request << 33 | why << 32 | j->merit[from[i].offer], i};
    }
    pof_sort_keys(key, key + n, n);
    rc = pof_calloc(&out->share, n, sizeof *out->share, err);
    if (rc) {
        out->share = from;
        free(key);
        return rc;
    }
    out->cap = n;
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct pof_share *s = &from[key[i].value];
        if (out->n > 0 && same_row(&out->share[out->n - 1], s)) {
            out->share[out->n - 1].p_w += s->p_w;
        } else {
            out->share[out->n++] = *s;
        }
    }
    free(from);
    free(key);
    return 0;
}

/* --- 2 and 3: what is left over --- */

/* The request that answers when no pairing is left. */
static uint32_t last_resort(const struct pof_clear_problem *p, enum pof_direction d) {
    for (size_t i = 0; i < p->requests; i++) {
        if (p->request[i].direction != d) {
            return (uint32_t)i;
        }
    }
    return 0;
}

/* Shares under 1 in the role of answering requests: pools of their numbers, by place. */
struct answers {
    struct pool pool;
    int64_t *left_w;    /* [n] watts of a share not answered for yet */
    uint32_t (*top)[2]; /* [nodes][direction of the share] */
    size_t n;
};

static void answers_release(struct answers *a) {
    pool_release(&a->pool);
    free(a->left_w);
    free(a->top);
}

static int answers_build(struct answers *a, const struct job *j, struct pof_err *err) {
    uint32_t nodes = j->problem->forest->n;
    a->n = j->out->n;
    int rc = pool_init(&a->pool, a->n, err);
    rc = rc ? rc : pof_calloc(&a->left_w, a->n, sizeof *a->left_w, err);
    rc = rc ? rc : pof_calloc(&a->top, nodes, sizeof *a->top, err);
    for (uint32_t at = 0; rc == 0 && at < nodes; at++) {
        a->top[at][0] = a->top[at][1] = POF_NONE;
    }
    for (size_t k = 0; rc == 0 && k < a->n; k++) {
        const struct pof_share *s = &j->out->share[k];
        uint32_t *top = &a->top[place_of(j, s->offer)][j->problem->offer[s->offer].direction];
        a->left_w[k] = s->p_w;
        *top = pool_meld(&a->pool, *top, pool_single(&a->pool, (uint32_t)k));
    }
    return rc;
}

/* Leftovers of direction d in the pool *left against answers of the other direction. */
static int pair_off(struct job *j, struct answers *a, uint32_t *left, uint32_t *answer,
                    struct pof_err *err) {
    int rc = 0;
    while (rc == 0 && *left != POF_NONE && *answer != POF_NONE) {
        struct item *it = &j->item[*left];
        int64_t *room = &a->left_w[*answer];
        int64_t w = it->left_w < *room ? it->left_w : *room;
        uint32_t request = j->out->share[*answer].request;
        rc = add_share(j, (struct pof_share){request, POF_AWARD_COUNTER, it->offer, w}, err);
        it->left_w -= w;
        *room -= w;
        if (it->left_w == 0) {
            *left = pool_pop(&j->pool, *left);
        }
        if (*room == 0) {
            *answer = pool_pop(&a->pool, *answer);
        }
    }
    return rc;
}

static int pair_all(struct job *j, struct answers *a, struct pof_err *err) {
    const struct pof_forest *f = j->problem->forest;
    clear_sides(j);
    for (uint32_t k = 0; k < j->items; k++) {
        if (j->item[k].left_w > 0) {
            const struct pof_clear_offer *o = &j->problem->offer[j->item[k].offer];
            uint32_t *pool = &j->side[f->pos[o->node]][o->direction].pool;
            *pool = pool_meld(&j->pool, *pool, pool_single(&j->pool, k));
        }
    }
    int rc = 0;
    for (uint32_t at = 0; rc == 0 && at < f->n; at++) {
        for (int d = 0; rc == 0 && d < 2; d++) {
            rc = pair_off(j, a, &j->side[at][d].pool, &a->top[at][!d], err);
        }
        for (int d = 0; f->up[at] != POF_NONE && d < 2; d++) {
            uint32_t *left = &j->side[f->up[at]][d].pool, *answer = &a->top[f->up[at]][d];
            *left = pool_meld(&j->pool, *left, j->side[at][d].pool);
            *answer = pool_meld(&a->pool, *answer, a->top[at][d]);
        }
    }
    return rc;
}

/* What nothing answers for goes where the rest of its offer went: an indivisible offer is taken
 * beyond what is asked. */
static int share_excess(struct job *j, struct pof_err *err) {
    uint32_t *request;
    int rc = pof_calloc(&request, j->problem->offers, sizeof *request, err);
    for (size_t k = j->out->n; rc == 0 && k-- > 0;) { /* 1 + the first of its requests */
        const struct pof_share *s = &j->out->share[k];
        request[s->offer] = s->why == POF_AWARD_REQUEST ? s->request + 1 : request[s->offer];
    }
    for (size_t k = 0; rc == 0 && k < j->items; k++) {
        const struct item *it = &j->item[k];
        uint32_t to = request[it->offer]
                          ? request[it->offer] - 1
                          : last_resort(j->problem, j->problem->offer[it->offer].direction);
        if (it->left_w > 0) {
            rc = add_share(j, (struct pof_share){to, POF_AWARD_COUNTER, it->offer, it->left_w},
                           err);
        }
    }
    free(request);
    return rc;
}

static int share_leftovers(struct job *j, struct pof_err *err) {
    int64_t left = 0;
    for (size_t k = 0; k < j->items; k++) {
        left += j->item[k].left_w;
    }
    if (left == 0) {
        return 0;
    }
    if (j->problem->requests == 0) {
        return pof_fail(err, POF_E_INTERNAL, "%lld W are taken though nothing is asked for",
                        (long long)left);
    }
    struct answers a = {0};
    int rc = put_in_order(j, err);
    rc = rc ? rc : answers_build(&a, j, err);
    rc = rc ? rc : pair_all(j, &a, err);
    answers_release(&a);
    rc = rc ? rc : share_excess(j, err);
    return rc;
}

int pof_attribute(const struct pof_clear_problem *problem, const int64_t *taken_w,
                  struct pof_shares *shares, struct pof_err *err) {
    struct job j = {.problem = problem, .out = shares};
    shares->n = 0;
    int rc = list_items(&j, taken_w, err);
    rc = rc || j.items == 0 ? rc : serve_requests(&j, err);
    rc = rc ? rc : share_leftovers(&j, err);
    rc = rc || shares->n == 0 ? rc : put_in_order(&j, err);
    job_release(&j);
    return rc;
}
