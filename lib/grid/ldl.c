/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/ldl.h"

#include "base/mem.h"
#include "grid/lanes.h"
#include "grid/ldl_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What rounding leaves of a pivot that is zero in exact numbers, as a share of what was added up. */
static const double LOST = 1e-14;

/* Blocks of L are fewer. */
static const uint32_t ON_DIAGONAL = UINT32_C(1) << 31;

/* Blocks of L that solves fetch ahead, since large factors are not in the cache; so many more are
 * allocated. */
enum { AHEAD = 64 };

/* The four numbers of a block. */
typedef double quad __attribute__((vector_size(32), aligned(8)));

struct pof_ldl {
    uint32_t n;         /* blocks */
    uint32_t *place;    /* [n] of a block in the order of elimination */
    struct ldl_pieces pieces;
    uint32_t top;       /* where the last piece begins */
    uint8_t *negative;  /* [2 n] in that order */
    /* The matrix: column j holds blocks (i, j), i <= j, in the order of elimination. */
    uint32_t *abegin;   /* [n + 1] */
    uint32_t *arow;
    double *a;          /* 4 for each block, by rows */
    /* L without its unit diagonal, by columns; rows ascend. */
    uint32_t *lbegin;   /* [n + 1] */
    uint32_t *lrow;
    double *l;
    uint32_t *rbegin;   /* [n + 1] columns of each row, ascending */
    uint32_t *rcol;
    double *dinv;       /* [4 n] */
    uint8_t *infinite;  /* [2 n] */
    double *y;          /* [4 n] a row in the making; zero between uses */
    uint32_t *next;     /* [n] */
    uint32_t *inverse_at; /* where the inverse has block k of a: in z, or ON_DIAGONAL + place in zd */
    uint32_t *meet;     /* for the inverse: of each column j from the last, of each of its rows k, the
                           places in column k of the rows of j behind k, unless those are all */
    double *zd, *z;     /* the inverse on the diagonal and below it, as dinv and l */
    double flops;
};

#define LANES_TARGET
#define LANES(name) scalar_##name
#define lane lane_1
#include "grid/ldl_solve.h"
#undef lane
#undef LANES
#define LANES(name) wide_##name
#define lane lane_4
#include "grid/ldl_solve.h"
#undef LANES
#undef LANES_TARGET
#if LANES_HAVE_AVX2
#define LANES_TARGET LANES_AVX2
#define LANES(name) avx2_##name
#include "grid/ldl_solve.h"
#undef LANES
#undef LANES_TARGET
#endif
#undef lane

void pof_ldl_forward(const struct pof_ldl *s, uint32_t begin, uint32_t end, double *x)
{
    scalar_forward(s, begin, end, x);
}

void pof_ldl_backward(const struct pof_ldl *s, uint32_t begin, uint32_t end, double *x,
                      const double *beyond)
{
    scalar_backward(s, begin, end, x, beyond - 2 * (size_t)s->top);
}

void pof_ldl_forward_lanes(const struct pof_ldl *s, uint32_t begin, uint32_t end, double *x)
{
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_forward(s, begin, end, (lane_4 *)(void *)x);
        return;
    }
#endif
    wide_forward(s, begin, end, (lane_4 *)(void *)x);
}

void pof_ldl_backward_lanes(const struct pof_ldl *s, uint32_t begin, uint32_t end, double *x,
                            const double *beyond)
{
    const lane_4 *from = (const lane_4 *)(const void *)beyond - 2 * (size_t)s->top;
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_backward(s, begin, end, (lane_4 *)(void *)x, from);
        return;
    }
#endif
    wide_backward(s, begin, end, (lane_4 *)(void *)x, from);
}

void pof_ldl_solve(const struct pof_ldl *s, double *x)
{
    pof_ldl_forward(s, 0, s->n, x);
    pof_ldl_backward(s, 0, s->n, x, x + 2 * (size_t)s->top);
}

void pof_ldl_solve_lanes(const struct pof_ldl *s, double *x)
{
    pof_ldl_forward_lanes(s, 0, s->n, x);
    pof_ldl_backward_lanes(s, 0, s->n, x, x + 2 * (size_t)s->top * POF_LDL_LANES);
}

const uint32_t *pof_ldl_pieces(const struct pof_ldl *s, uint32_t *n)
{
    *n = s->pieces.n;
    return s->pieces.begin;
}

/* --- pattern --- */

/* Entries as they lie in the upper triangle, those of a column together. */
struct entries {
    size_t total;
    uint32_t *low;     /* [total] twice the lower place; one more where it is the column that is asked for */
    uint32_t *high;    /* [total] the other one */
    uint32_t *by_high; /* [total] */
    uint32_t *begin;   /* [n + 2] of by_high */
};

static int sort_entries(const struct pof_ldl *s, const struct pof_ldl_places *p, struct entries *e,
                        struct pof_err *err)
{
    e->total = p->n + s->n;
    if (e->total > UINT32_MAX / 2) {
        return pof_fail(err, POF_E_RANGE, "a system of %zu entries is too large", e->total);
    }
    int rc = pof_alloc(&e->low, e->total, sizeof *e->low, err);
    rc = rc ? rc : pof_alloc(&e->high, e->total, sizeof *e->high, err);
    rc = rc ? rc : pof_alloc(&e->by_high, e->total, sizeof *e->by_high, err);
    rc = rc ? rc : pof_calloc(&e->begin, (size_t)s->n + 2, sizeof *e->begin, err);
    if (rc) {
        return rc;
    }
    for (size_t k = 0; k < e->total; k++) {
        uint32_t i = k < p->n ? s->place[p->row[k]] : (uint32_t)(k - p->n);
        uint32_t j = k < p->n ? s->place[p->col[k]] : i;
        e->low[k] = i > j ? 2 * j + 1 : 2 * i;
        e->high[k] = i > j ? i : j;
        e->begin[e->high[k] + 2]++;
    }
    for (uint32_t j = 0; j < s->n; j++) {
        e->begin[j + 2] += e->begin[j + 1];
    }
    for (size_t k = 0; k < e->total; k++) {
        e->by_high[e->begin[e->high[k] + 1]++] = (uint32_t)k;
    }
    return 0;
}

/* Each column's blocks, unique; slot: which block an entry became. */
static int make_pattern(struct pof_ldl *s, const struct pof_ldl_places *p, uint32_t *slot,
                        uint32_t *diagonal, struct pof_err *err)
{
    struct entries e = {0};
    int rc = sort_entries(s, p, &e, err);
    rc = rc ? rc : pof_alloc(&s->arow, e.total, sizeof *s->arow, err);
    uint32_t blocks = 0;
    uint32_t *seen = s->next; /* [n] block of row i in this column, from 1 */
    for (uint32_t j = 0; rc == 0 && j < s->n; j++) {
        s->abegin[j] = blocks;
        for (uint32_t at = e.begin[j]; at < e.begin[j + 1]; at++) {
            uint32_t k = e.by_high[at], i = e.low[k] >> 1;
            if (seen[i] <= s->abegin[j]) {
                s->arow[blocks++] = i;
                seen[i] = blocks;
            }
            uint32_t block = 2 * (seen[i] - 1) + (e.low[k] & 1);
            if (k < p->n) {
                slot[k] = block;
            } else {
                diagonal[j] = block; /* in the order of elimination yet */
            }
        }
    }
    s->abegin[s->n] = blocks;
    uint32_t *fits = rc ? NULL : realloc(s->arow, (size_t)(blocks ? blocks : 1) * sizeof *s->arow);
    s->arow = fits ? fits : s->arow;
    free(e.low);
    free(e.high);
    free(e.by_high);
    free(e.begin);
    return rc ? rc : pof_calloc(&s->a, 4 * (size_t)blocks, sizeof *s->a, err);
}

/* Visits the columns of row k of L: the paths from its entries towards the root of the elimination
 * tree. Calls are made twice, to count and to fill. */
static void walk_row(const struct pof_ldl *s, uint32_t k, uint32_t *parent, uint32_t *mark,
                     uint32_t *count, uint32_t *fill)
{
    mark[k] = k + 1;
    for (uint32_t p = s->abegin[k]; p < s->abegin[k + 1]; p++) {
        for (uint32_t i = s->arow[p]; mark[i] != k + 1; i = parent[i]) {
            mark[i] = k + 1;
            if (parent[i] == UINT32_MAX) {
                parent[i] = k;
            }
            if (fill) {
                fill[count[i]] = k;
            }
            count[i]++;
        }
    }
}

static int count_columns(struct pof_ldl *s, uint32_t *parent, uint32_t *mark, uint32_t *count,
                         struct pof_err *err)
{
    memset(parent, 0xff, s->n * sizeof *parent);
    memset(mark, 0, s->n * sizeof *mark);
    memset(count, 0, s->n * sizeof *count);
    for (uint32_t k = 0; k < s->n; k++) {
        walk_row(s, k, parent, mark, count, NULL);
    }
    uint64_t total = 0;
    for (uint32_t j = 0; j < s->n; j++) {
        double c = count[j];
        s->flops += 4 * c * (c + 1);
        s->lbegin[j] = (uint32_t)total;
        total += count[j];
        if (total > UINT32_MAX / 2) {
            return pof_fail(err, POF_E_RANGE, "the factors of %u unknowns are too large", 2 * s->n);
        }
    }
    s->lbegin[s->n] = (uint32_t)total;
    return 0;
}

static void list_rows(struct pof_ldl *s)
{
    for (uint32_t p = 0; p < s->lbegin[s->n]; p++) {
        s->rbegin[s->lrow[p] + 1]++;
    }
    for (uint32_t k = 0; k < s->n; k++) {
        s->rbegin[k + 1] += s->rbegin[k];
    }
    memcpy(s->next, s->rbegin, s->n * sizeof *s->next);
    for (uint32_t j = 0; j < s->n; j++) {
        for (uint32_t p = s->lbegin[j]; p < s->lbegin[j + 1]; p++) {
            s->rcol[s->next[s->lrow[p]]++] = j;
        }
    }
}

static int make_factors(struct pof_ldl *s, struct pof_err *err)
{
    uint32_t *parent = NULL, *mark = NULL, *count = NULL;
    int rc = pof_alloc(&parent, s->n, sizeof *parent, err);
    rc = rc ? rc : pof_alloc(&mark, s->n, sizeof *mark, err);
    rc = rc ? rc : pof_alloc(&count, s->n, sizeof *count, err);
    rc = rc ? rc : count_columns(s, parent, mark, count, err);
    size_t fill = rc ? 0 : s->lbegin[s->n];
    rc = rc ? rc : pof_alloc(&s->lrow, fill, sizeof *s->lrow, err);
    rc = rc ? rc : pof_alloc(&s->rcol, fill, sizeof *s->rcol, err);
    rc = rc ? rc : pof_alloc(&s->l, 4 * (fill + AHEAD), sizeof *s->l, err);
    if (rc == 0) {
        memset(s->l + 4 * fill, 0, 4 * AHEAD * sizeof *s->l);
        memset(mark, 0, s->n * sizeof *mark);
        memcpy(count, s->lbegin, s->n * sizeof *count);
        for (uint32_t k = 0; k < s->n; k++) {
            walk_row(s, k, parent, mark, count, s->lrow);
        }
        list_rows(s);
    }
    free(count);
    free(mark);
    free(parent);
    return rc;
}

static int make_arrays(struct pof_ldl *s, struct pof_err *err)
{
    size_t n = s->n;
    int rc = pof_alloc(&s->place, n, sizeof *s->place, err);
    rc = rc ? rc : pof_calloc(&s->negative, 2 * n, sizeof *s->negative, err);
    rc = rc ? rc : pof_calloc(&s->infinite, 2 * n, sizeof *s->infinite, err);
    rc = rc ? rc : pof_alloc(&s->abegin, n + 1, sizeof *s->abegin, err);
    rc = rc ? rc : pof_alloc(&s->lbegin, n + 1, sizeof *s->lbegin, err);
    rc = rc ? rc : pof_calloc(&s->rbegin, n + 1, sizeof *s->rbegin, err);
    rc = rc ? rc : pof_alloc(&s->dinv, 4 * n, sizeof *s->dinv, err);
    rc = rc ? rc : pof_calloc(&s->y, 4 * n, sizeof *s->y, err);
    return rc ? rc : pof_calloc(&s->next, n, sizeof *s->next, err);
}

/* diagonal[] by block instead of by place; signs in the order of elimination. */
static int turn_round(struct pof_ldl *s, const struct pof_ldl_places *p, uint32_t *diagonal,
                      struct pof_err *err)
{
    uint32_t *by_place = NULL;
    int rc = pof_alloc(&by_place, s->n, sizeof *by_place, err);
    for (uint32_t b = 0; rc == 0 && b < s->n; b++) {
        by_place[b] = diagonal[b];
    }
    for (uint32_t b = 0; rc == 0 && b < s->n; b++) {
        diagonal[b] = by_place[s->place[b]];
        for (unsigned i = 0; i < 2 && p->negative; i++) {
            s->negative[2 * s->place[b] + i] = p->negative[2 * b + i];
        }
    }
    free(by_place);
    return rc;
}

int pof_ldl_new(struct pof_ldl **out, const struct pof_ldl_places *places, uint32_t *slot,
                uint32_t *diagonal, struct pof_err *err)
{
    struct pof_ldl *s = NULL;
    *out = NULL;
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        return rc;
    }
    s->n = places->blocks;
    rc = make_arrays(s, err);
    rc = rc ? rc : pofi_ldl_order(places, s->place, &s->pieces, err);
    if (rc == 0) {
        s->top = s->pieces.begin[s->pieces.n - 1];
        memset(s->next, 0, s->n * sizeof *s->next);
        rc = make_pattern(s, places, slot, diagonal, err);
    }
    rc = rc ? rc : make_factors(s, err);
    rc = rc ? rc : turn_round(s, places, diagonal, err);
    if (rc) {
        pof_ldl_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void pof_ldl_free(struct pof_ldl *s)
{
    if (!s) {
        return;
    }
    void *owned[] = {s->place, s->negative, s->abegin, s->arow,     s->a, s->lbegin, s->lrow, s->l,
                     s->rbegin, s->rcol,    s->dinv,   s->infinite, s->y, s->next,   s->zd,   s->z,
                     s->inverse_at, s->meet, s->pieces.begin};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    free(s);
}

double *pof_ldl_values(struct pof_ldl *s, size_t *n)
{
    *n = 4 * (size_t)s->abegin[s->n];
    return s->a;
}

double pof_ldl_flops(const struct pof_ldl *s)
{
    return s->flops;
}

size_t pof_ldl_fill(const struct pof_ldl *s)
{
    return s->lbegin[s->n];
}

const uint32_t *pof_ldl_order(const struct pof_ldl *s)
{
    return s->place;
}

bool pof_ldl_infinite(const struct pof_ldl *s, uint32_t unknown)
{
    return s->infinite[2 * s->place[unknown / 2] + unknown % 2];
}

/* --- numbers --- */

/* One over a pivot, or 0 for an infinite one. */
static inline double pivot(struct pof_ldl *s, uint32_t unknown, double d, double gross)
{
    double right = s->negative[unknown] ? -d : d;
    s->infinite[unknown] = !(right > LOST * gross); /* also when it is not a number */
    return s->infinite[unknown] ? 0 : 1 / d;
}

/* The 2 x 2 pivot d (by rows) into its inverse; gross: what its diagonal was added up from. */
static inline __attribute__((always_inline)) void
invert_pivot(struct pof_ldl *s, uint32_t k, const double d[4], const double gross[2])
{
    double *to = s->dinv + 4 * (size_t)k;
    double i0 = pivot(s, 2 * k, d[0], gross[0]);
    double f = d[2] * i0;
    double i1 = pivot(s, 2 * k + 1, d[3] - f * d[1], gross[1] + fabs(f * d[1]));
    to[3] = i1;
    to[1] = to[2] = -f * i1;
    to[0] = i0 + f * f * i1;
}

#define LANES_TARGET
#define LANES(name) wide_##name
#include "grid/ldl_kernel.h"
#undef LANES
#undef LANES_TARGET
#if LANES_HAVE_AVX2
#define LANES_TARGET LANES_AVX2
#define LANES(name) avx2_##name
#include "grid/ldl_kernel.h"
#undef LANES
#undef LANES_TARGET
#endif

uint32_t pof_ldl_factor(struct pof_ldl *s)
{
    memcpy(s->next, s->lbegin, s->n * sizeof *s->next);
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        return avx2_factor(s);
    }
#endif
    return wide_factor(s);
}

/* --- inverse on the pattern --- */

/* Block (i, j) of the inverse by places, i >= j. */
static const double *find(const struct pof_ldl *s, uint32_t i, uint32_t j)
{
    if (i == j) {
        return s->zd + 4 * (size_t)j;
    }
    uint32_t low = s->lbegin[j], high = s->lbegin[j + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->lrow[middle] < i) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < s->lbegin[j + 1] && s->lrow[low] == i ? s->z + 4 * (size_t)low : NULL;
}

/* Fills meet, where there is one; returns how many it has. */
static size_t list_meetings(const struct pof_ldl *s, uint32_t *meet)
{
    size_t n = 0;
    for (uint32_t j = s->n; j-- > 0;) {
        uint32_t end = s->lbegin[j + 1];
        for (uint32_t p = s->lbegin[j]; p < end; p++) {
            uint32_t k = s->lrow[p], left = end - p - 1, q = s->lbegin[k];
            if (s->lbegin[k + 1] - q == left) {
                continue;
            }
            for (uint32_t i = 0; i < left && meet; i++, q++) {
                while (s->lrow[q] != s->lrow[p + 1 + i]) {
                    q++; /* rows of j behind k are rows of k */
                }
                meet[n + i] = q;
            }
            n += left;
        }
    }
    return n;
}

static int make_inverse(struct pof_ldl *s, struct pof_err *err)
{
    int rc = pof_calloc(&s->zd, 4 * (size_t)s->n, sizeof *s->zd, err);
    rc = rc ? rc : pof_calloc(&s->z, 4 * (size_t)s->lbegin[s->n], sizeof *s->z, err);
    rc = rc ? rc : pof_calloc(&s->inverse_at, s->abegin[s->n], sizeof *s->inverse_at, err);
    rc = rc ? rc : pof_alloc(&s->meet, list_meetings(s, NULL), sizeof *s->meet, err);
    if (rc == 0) {
        (void)list_meetings(s, s->meet);
    }
    for (uint32_t j = 0; rc == 0 && j < s->n; j++) {
        for (uint32_t p = s->abegin[j]; p < s->abegin[j + 1]; p++) {
            s->inverse_at[p] = s->arow[p] == j ? ON_DIAGONAL + j
                                               : (uint32_t)((find(s, j, s->arow[p]) - s->z) / 4);
        }
    }
    if (rc) {
        free(s->zd);
        free(s->z);
        free(s->inverse_at);
        free(s->meet);
        s->meet = NULL;
        s->zd = s->z = NULL;
        s->inverse_at = NULL;
    }
    return rc;
}

int pof_ldl_invert(struct pof_ldl *s, struct pof_err *err)
{
    int rc = s->inverse_at ? 0 : make_inverse(s, err);
    if (rc) {
        return rc;
    }
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_invert(s);
        return 0;
    }
#endif
    wide_invert(s);
    return 0;
}

bool pof_ldl_inverse(const struct pof_ldl *s, uint32_t b, uint32_t c, double z[4])
{
    uint32_t i = s->place[b], j = s->place[c];
    const double *from = i >= j ? find(s, i, j) : find(s, j, i);
    for (int k = 0; k < 4; k++) {
        int t = i >= j || k == 0 || k == 3 ? k : 3 - k;
        z[k] = from ? from[t] : 0;
    }
    return from != NULL;
}

static inline const double *inverse_place(const struct pof_ldl *s, uint32_t slot)
{
    uint32_t at = s->inverse_at[slot >> 1];
    return at >= ON_DIAGONAL ? s->zd + 4 * (size_t)(at - ON_DIAGONAL) : s->z + 4 * (size_t)at;
}

static inline void inverse_copy(const double *from, uint32_t slot, double z[4])
{
    unsigned t = slot & 1; /* z holds block (later, earlier), a slot (earlier, later) */
    z[0] = from[0];
    z[1] = from[t ? 1 : 2];
    z[2] = from[t ? 2 : 1];
    z[3] = from[3];
}

void pof_ldl_inverse_at(const struct pof_ldl *s, uint32_t slot, double z[4])
{
    inverse_copy(inverse_place(s, slot), slot, z);
}

void pof_ldl_inverse_soon(const struct pof_ldl *s, const uint32_t *slot, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        __builtin_prefetch(inverse_place(s, slot[k]));
    }
}

void pof_ldl_inverse_of(const struct pof_ldl *s, const uint32_t *slot, uint32_t n, double (*z)[4])
{
    for (uint32_t k = 0; k < n; k++) { /* memory is asked for all of them before the first is needed */
        __builtin_prefetch(inverse_place(s, slot[k]));
    }
    for (uint32_t k = 0; k < n; k++) {
        inverse_copy(inverse_place(s, slot[k]), slot[k], z[k]);
    }
}
