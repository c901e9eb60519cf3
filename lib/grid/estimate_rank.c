/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_rank.h"

#include "base/mem.h"
#include "grid/ordering.h"
#include "num/rng.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t NONE = UINT32_MAX;

uint64_t pof_rank_inverse(uint64_t a)
{
    uint64_t result = 1; /* a^(p - 2), Fermat */
    for (uint64_t e = POF_RANK_PRIME - 2; e > 0; e >>= 1) {
        result = e & 1 ? pof_rank_mul(result, a) : result;
        a = pof_rank_mul(a, a);
    }
    return result;
}

uint64_t pof_rank_random(uint64_t stream, uint64_t a, uint64_t b)
{
    return 1 + pof_random(stream, a, b) % (POF_RANK_PRIME - 1);
}

/* --- order --- */

static int order_blocks(const struct pof_rank_rows *in, uint32_t *order, struct pof_err *err)
{
    uint32_t *begin = NULL;
    uint32_t *to = NULL;
    size_t pairs = 0;
    int rc = pof_calloc(&begin, (size_t)in->blocks + 2, sizeof *begin, err);
    for (size_t r = 0; r < in->rows; r++) {
        size_t n = in->begin[r + 1] - in->begin[r];
        pairs += n * (n - (n > 0)) / 2;
    }
    rc = rc == 0 ? pof_calloc(&to, pairs, sizeof *to, err) : rc;
    for (int pass = 0; rc == 0 && pass < 2; pass++) {
        for (size_t r = 0; r < in->rows; r++) {
            for (size_t i = in->begin[r]; i < in->begin[r + 1]; i++) {
                for (size_t j = i + 1; j < in->begin[r + 1]; j++) {
                    if (pass == 0) {
                        begin[in->block[i] + 2]++;
                    } else {
                        to[begin[in->block[i] + 1]++] = in->block[j];
                    }
                }
            }
        }
        for (uint32_t k = 0; pass == 0 && k < in->blocks; k++) {
            begin[k + 2] += begin[k + 1];
        }
    }
    rc = rc == 0 ? pof_order_amd(in->blocks, begin, to, order, err) : rc;
    free(to);
    free(begin);
    return rc;
}

/* --- the matrix, by columns of its upper triangle in the order of elimination --- */

struct upper {
    size_t *begin;
    uint32_t *row;
    uint64_t *value;
};

static void fill_upper(const struct pof_rank *k, const struct pof_rank_rows *in, struct upper *u,
                       bool values)
{
    for (size_t r = 0; r < in->rows; r++) {
        uint64_t weight = pof_rank_random(1, r, 0);
        for (size_t i = 2 * in->begin[r]; i < 2 * in->begin[r + 1]; i++) {
            uint32_t a = k->place[2 * in->block[i / 2] + i % 2];
            uint64_t wa = pof_rank_mul(weight, in->value[i]);
            for (size_t j = i; wa != 0 && j < 2 * in->begin[r + 1]; j++) {
                uint32_t b = k->place[2 * in->block[j / 2] + j % 2];
                uint32_t col = a > b ? a : b;
                if (in->value[j] == 0) {
                    continue;
                }
                if (!values) {
                    u->begin[col + 2]++;
                    continue;
                }
                size_t at = u->begin[col + 1]++;
                u->row[at] = a > b ? b : a;
                u->value[at] = pof_rank_mul(wa, in->value[j]);
            }
        }
    }
}

static int make_upper(const struct pof_rank *k, const struct pof_rank_rows *in, struct upper *u,
                      struct pof_err *err)
{
    int rc = pof_calloc(&u->begin, (size_t)k->n + 2, sizeof *u->begin, err);
    if (rc != 0) {
        return rc;
    }
    fill_upper(k, in, u, false);
    for (uint32_t i = 0; i < k->n; i++) {
        u->begin[i + 2] += u->begin[i + 1];
    }
    size_t entries = k->n > 0 ? u->begin[k->n + 1] : 0;
    rc = pof_calloc(&u->row, entries, sizeof *u->row, err);
    rc = rc == 0 ? pof_calloc(&u->value, entries, sizeof *u->value, err) : rc;
    if (rc == 0) {
        fill_upper(k, in, u, true);
    }
    return rc;
}

/* --- factors, row by row (T. Davis, Direct Methods for Sparse Linear Systems, 2006, chapter 4) --- */

struct room {
    uint32_t *parent, *flag, *path, *count; /* [n] */
    uint64_t *y, *inverse;                  /* [n] */
};

static int make_room(struct room *w, uint32_t n, struct pof_err *err)
{
    uint32_t **whole[] = {&w->parent, &w->flag, &w->path, &w->count};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < 4; i++) {
        rc = pof_calloc(whole[i], n, sizeof **whole[i], err);
    }
    rc = rc == 0 ? pof_calloc(&w->y, n, sizeof *w->y, err) : rc;
    return rc == 0 ? pof_calloc(&w->inverse, n, sizeof *w->inverse, err) : rc;
}

static void free_room(struct room *w)
{
    free(w->parent);
    free(w->flag);
    free(w->path);
    free(w->count);
    free(w->y);
    free(w->inverse);
}

/* Elimination tree and the length of each column. */
static int symbolic(struct pof_rank *k, const struct upper *u, struct room *w, struct pof_err *err)
{
    for (uint32_t i = 0; i < k->n; i++) {
        w->parent[i] = NONE;
        w->flag[i] = i;
        for (size_t e = u->begin[i]; e < u->begin[i + 1]; e++) {
            for (uint32_t j = u->row[e]; w->flag[j] != i; j = w->parent[j]) {
                w->parent[j] = w->parent[j] == NONE ? i : w->parent[j];
                w->count[j]++;
                w->flag[j] = i;
            }
        }
    }
    int rc = pof_calloc(&k->begin, (size_t)k->n + 1, sizeof *k->begin, err);
    for (uint32_t i = 0; rc == 0 && i < k->n; i++) {
        k->begin[i + 1] = k->begin[i] + w->count[i];
    }
    rc = rc == 0 ? pof_calloc(&k->row, k->begin[k->n], sizeof *k->row, err) : rc;
    return rc == 0 ? pof_calloc(&k->value, k->begin[k->n], sizeof *k->value, err) : rc;
}

/* Row i of L, and its pivot. */
static uint64_t factor_row(struct pof_rank *k, const struct upper *u, struct room *w, uint32_t i)
{
    uint32_t top = k->n;
    w->flag[i] = i;
    for (size_t e = u->begin[i]; e < u->begin[i + 1]; e++) {
        uint32_t len = 0;
        w->y[u->row[e]] = pof_rank_add(w->y[u->row[e]], u->value[e]);
        for (uint32_t j = u->row[e]; w->flag[j] != i; j = w->parent[j]) {
            w->path[len++] = j;
            w->flag[j] = i;
        }
        while (len > 0) {
            w->path[--top] = w->path[--len];
        }
    }
    uint64_t pivot = w->y[i];
    w->y[i] = 0;
    for (; top < k->n; top++) {
        uint32_t j = w->path[top];
        uint64_t y = w->y[j];
        size_t end = k->begin[j] + w->count[j];
        w->y[j] = 0;
        for (size_t e = k->begin[j]; y != 0 && e < end; e++) {
            uint64_t *at = &w->y[k->row[e]];
            *at = pof_rank_sub(*at, pof_rank_mul(k->value[e], y));
        }
        uint64_t l = pof_rank_mul(y, w->inverse[j]);
        pivot = pof_rank_sub(pivot, pof_rank_mul(l, y));
        k->row[end] = i;
        k->value[end] = l;
        w->count[j]++;
    }
    return pivot;
}

static void numeric(struct pof_rank *k, const struct upper *u, struct room *w)
{
    memset(w->count, 0, k->n * sizeof *w->count);
    for (uint32_t i = 0; i < k->n; i++) {
        w->flag[i] = NONE;
    }
    for (uint32_t i = 0; i < k->n; i++) {
        uint64_t pivot = factor_row(k, u, w, i);
        k->free[k->order[i]] = pivot == 0;
        k->lost += pivot == 0;
        w->inverse[i] = pivot == 0 ? 0 : pof_rank_inverse(pivot);
    }
}

static int number(struct pof_rank *k, const struct pof_rank_rows *in, struct pof_err *err)
{
    uint32_t *block = NULL;
    k->n = 2 * in->blocks;
    int rc = pof_calloc(&block, in->blocks, sizeof *block, err);
    rc = rc == 0 ? pof_calloc(&k->free, k->n, sizeof *k->free, err) : rc;
    rc = rc == 0 ? pof_calloc(&k->place, k->n, sizeof *k->place, err) : rc;
    rc = rc == 0 ? pof_calloc(&k->order, k->n, sizeof *k->order, err) : rc;
    rc = rc == 0 ? order_blocks(in, block, err) : rc;
    for (uint32_t i = 0; rc == 0 && i < k->n; i++) {
        k->order[i] = 2 * block[i / 2] + i % 2;
        k->place[k->order[i]] = i;
    }
    free(block);
    return rc;
}

int pof_rank_find(struct pof_rank *k, const struct pof_rank_rows *in, struct pof_err *err)
{
    struct upper u = {0};
    struct room w = {0};
    *k = (struct pof_rank){0};
    int rc = number(k, in, err);
    rc = rc == 0 ? make_upper(k, in, &u, err) : rc;
    rc = rc == 0 ? make_room(&w, k->n, err) : rc;
    rc = rc == 0 ? symbolic(k, &u, &w, err) : rc;
    if (rc == 0) {
        numeric(k, &u, &w);
    }
    free_room(&w);
    free(u.value);
    free(u.row);
    free(u.begin);
    if (rc != 0) {
        pof_rank_release(k);
    }
    return rc;
}

void pof_rank_null(const struct pof_rank *k, uint64_t stream, uint64_t *y)
{
    for (uint32_t i = k->n; i-- > 0;) {
        uint32_t own = k->order[i];
        uint64_t sum = k->free[own] ? pof_rank_random(stream, own, 1) : 0;
        for (size_t e = k->begin[i]; e < k->begin[i + 1]; e++) {
            sum = pof_rank_sub(sum, pof_rank_mul(k->value[e], y[k->order[k->row[e]]]));
        }
        y[own] = sum;
    }
}

void pof_rank_release(struct pof_rank *k)
{
    free(k->free);
    free(k->place);
    free(k->order);
    free(k->begin);
    free(k->row);
    free(k->value);
    *k = (struct pof_rank){0};
}
