/* SPDX-License-Identifier: Apache-2.0 */
/* Factors of quasi-definite systems against KLU: solutions, lanes, the inverse on the pattern, and
 * pivots that are lost. */
#include "grid/ldl.c" /* its kernels for each kind of processor */
#include "grid/sparse.h"
#include "num/rng.h"
#include "tap.h"

enum { MOST = 20000 };

/* A random system: blocks in a grid of `wide` columns with some far links; every third block is of
 * the negative part and tied to the one before it. */
struct scene {
    uint32_t blocks;
    uint32_t row[MOST], col[MOST], slot[MOST], tie[MOST], diagonal[MOST];
    bool negative[MOST];
    size_t n;
    struct pof_ldl *ldl;
    struct pof_csc k;
    struct pof_lu *lu;
};

static double value(uint64_t seed, uint64_t a, uint64_t b)
{
    return ldexp((double)(pof_random(seed, a, b) >> 11), -52) - 1;
}

static void link_blocks(struct scene *s, uint32_t i, uint32_t j)
{
    s->row[s->n] = i;
    s->col[s->n++] = j;
}

static bool make(struct scene *s, uint32_t blocks, uint32_t wide, bool tied)
{
    struct pof_err err = {0};
    s->blocks = blocks;
    for (uint32_t b = 0; b < blocks; b++) {
        bool minus = b % 3 == 2;
        s->tie[b] = minus ? b - 1 : b;
        s->negative[2 * b] = s->negative[2 * b + 1] = minus;
        if (b + 1 < blocks) {
            link_blocks(s, b, b + 1);
        }
        if (b + wide < blocks) {
            link_blocks(s, b + wide, b);
            link_blocks(s, b, b + wide); /* twice, from both ends */
        }
        if (b % 7 == 0) {
            link_blocks(s, b, (uint32_t)pof_below(pof_random(5, b, 1), blocks));
        }
    }
    struct pof_ldl_places p = {.blocks = blocks,
                               .row = s->row,
                               .col = s->col,
                               .n = s->n,
                               .tie = tied ? s->tie : NULL,
                               .negative = s->negative};
    return pof_ldl_new(&s->ldl, &p, s->slot, s->diagonal, &err) == 0;
}

/* The same values into both: the first time the pattern of KLU is made. */
static bool fill(struct scene *s, uint64_t seed)
{
    struct pof_err err = {0};
    enum pof_lu_status status = POF_LU_SINGULAR;
    size_t n;
    double *a = pof_ldl_values(s->ldl, &n);
    memset(a, 0, n * sizeof *a);
    size_t cap = 8 * s->n + 4 * (size_t)s->blocks, m = 0;
    int32_t *row = calloc(cap, sizeof *row), *col = calloc(cap, sizeof *col);
    int32_t *slot = calloc(cap, sizeof *slot);
    double *v = calloc(cap, sizeof *v);
    for (uint32_t b = 0; b < s->blocks; b++) {
        double d = (s->negative[2 * b] ? -1 : 1) * (20 + value(seed, b, 3));
        double x[4] = {d, value(seed, b, 4), value(seed, b, 4), d};
        for (unsigned i = 0; i < 4; i++) {
            a[pof_ldl_at(s->diagonal[b], i / 2, i % 2)] += x[i];
            row[m] = (int32_t)(2 * b + i / 2);
            col[m] = (int32_t)(2 * b + i % 2);
            v[m++] = x[i];
        }
    }
    for (size_t k = 0; k < s->n; k++) {
        for (unsigned i = 0; i < 4; i++) {
            if (s->row[k] == s->col[k]) {
                continue;
            }
            double x = value(seed, k, 10 + i);
            a[pof_ldl_at(s->slot[k], i / 2, i % 2)] += x;
            for (int turn = 0; turn < 2; turn++) {
                uint32_t r = 2 * s->row[k] + i / 2, c = 2 * s->col[k] + i % 2;
                row[m] = (int32_t)(turn ? c : r);
                col[m] = (int32_t)(turn ? r : c);
                v[m++] = x;
            }
        }
    }
    pof_lu_free(s->lu);
    pof_csc_release(&s->k);
    s->lu = NULL;
    struct pof_places places = {.row = row, .col = col, .n = m};
    int rc = pof_csc_pattern(&s->k, 2 * (int32_t)s->blocks, 2 * (int32_t)s->blocks, &places, slot, &err);
    for (size_t k = 0; rc == 0 && k < m; k++) {
        s->k.value[slot[k]] += v[k];
    }
    rc = rc ? rc : pof_lu_new(&s->lu, &s->k, &err);
    rc = rc ? rc : pof_lu_factor(s->lu, &status, &err);
    free(row);
    free(col);
    free(slot);
    free(v);
    return rc == 0 && status == POF_LU_OK;
}

static void unload(struct scene *s)
{
    pof_ldl_free(s->ldl);
    pof_lu_free(s->lu);
    pof_csc_release(&s->k);
    *s = (struct scene){0};
}

static double compare_solutions(struct scene *s, uint64_t seed, bool *same_bits)
{
    struct pof_err err = {0};
    size_t n = 2 * (size_t)s->blocks;
    const uint32_t *order = pof_ldl_order(s->ldl);
    double *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
    double *wide = calloc(POF_LDL_LANES * n, sizeof *wide);
    double most = 0;
    *same_bits = true;
    for (unsigned lane = 0; lane < POF_LDL_LANES; lane++) {
        for (size_t i = 0; i < n; i++) {
            size_t at = 2 * (size_t)order[i / 2] + i % 2;
            wide[POF_LDL_LANES * at + lane] = value(seed, i, 20 + lane);
        }
    }
    pof_ldl_solve_lanes(s->ldl, wide);
    for (unsigned lane = 0; lane < POF_LDL_LANES; lane++) {
        for (size_t i = 0; i < n; i++) {
            x[2 * (size_t)order[i / 2] + i % 2] = y[i] = value(seed, i, 20 + lane);
        }
        pof_ldl_solve(s->ldl, x);
        most = pof_lu_solve(s->lu, y, 1, &err) ? NAN : most;
        for (size_t i = 0; i < n; i++) {
            size_t at = 2 * (size_t)order[i / 2] + i % 2;
            most = fmax(most, fabs(x[at] - y[i]));
            *same_bits = *same_bits && memcmp(&x[at], &wide[POF_LDL_LANES * at + lane], 8) == 0;
        }
    }
    free(wide);
    free(y);
    free(x);
    return most;
}

/* Columns of the inverse by KLU against the blocks of the pattern. */
static double compare_inverse(struct scene *s, size_t *blocks)
{
    struct pof_err err = {0};
    size_t n = 2 * (size_t)s->blocks;
    double *x = calloc(n, sizeof *x);
    double most = pof_ldl_invert(s->ldl, &err) ? NAN : 0;
    *blocks = 0;
    for (uint32_t j = 0; j < s->blocks; j++) {
        for (unsigned c = 0; c < 2; c++) {
            memset(x, 0, n * sizeof *x);
            x[2 * j + c] = 1;
            most = pof_lu_solve(s->lu, x, 1, &err) ? NAN : most;
            for (uint32_t i = 0; i < s->blocks; i++) {
                double z[4];
                if (pof_ldl_inverse(s->ldl, i, j, z)) {
                    most = fmax(most, fabs(z[c] - x[2 * i]));
                    most = fmax(most, fabs(z[2 + c] - x[2 * i + 1]));
                    *blocks += c;
                }
            }
        }
    }
    free(x);
    return most;
}

static void against_klu(uint32_t blocks, uint32_t wide, bool tied)
{
    static struct scene s;
    bool same = false;
    size_t known = 0;
    if (!ok(make(&s, blocks, wide, tied), "%u blocks: ordered", blocks)) {
        return;
    }
    for (uint64_t seed = 1; seed < 4; seed++) {
        bool filled = fill(&s, seed);
        uint32_t lost = pof_ldl_factor(s.ldl);
        double off = compare_solutions(&s, seed, &same);
        ok(filled && lost == 0 && off < 1e-12, "%u blocks%s, fill %zu: solutions are KLU's (%.1e)",
           blocks, tied ? ", tied" : "", pof_ldl_fill(s.ldl), off);
        ok(same, "four side by side give the bits of one");
        off = compare_inverse(&s, &known);
        ok(off < 1e-12 && known == 2 * pof_ldl_fill(s.ldl) + blocks,
           "all of the inverse on the pattern, %zu blocks (%.1e)", known, off);
    }
    unload(&s);
}

/* [0 0; 0 0] beside sound blocks, and a constraint that is there twice. */
static uint64_t digest(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h = (h ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* What kernels leave behind: factors, pivots, the inverse. */
static uint64_t left_by(struct pof_ldl *l, uint32_t (*factor)(struct pof_ldl *),
                        void (*invert)(struct pof_ldl *))
{
    size_t fill = 4 * pof_ldl_fill(l);
    memcpy(l->next, l->lbegin, l->n * sizeof *l->next);
    uint64_t h = 1 + factor(l);
    invert(l);
    h = digest(h, l->l, fill * sizeof *l->l);
    h = digest(h, l->dinv, 4 * (size_t)l->n * sizeof *l->dinv);
    h = digest(h, l->zd, 4 * (size_t)l->n * sizeof *l->zd);
    return digest(h, l->z, fill * sizeof *l->z);
}

/* Every kind of processor gives the same bits. */
static void same_on_all(void)
{
#if LANES_HAVE_AVX2
    struct pof_err err = {0};
    struct scene *s = calloc(1, sizeof *s);
    if (!lanes_avx2()) {
        skip("factors and inverses of both kernels are the same bits", "no AVX2 here");
    } else if (ok(make(s, 900, 30, true) && fill(s, 17) && pof_ldl_factor(s->ldl) == 0 &&
                      pof_ldl_invert(s->ldl, &err) == 0,
                  "a system for both kernels")) {
        uint64_t wide = left_by(s->ldl, wide_factor, wide_invert);
        ok(left_by(s->ldl, avx2_factor, avx2_invert) == wide,
           "factors and inverses of both kernels are the same bits");
        unload(s);
    }
    free(s);
#endif
}

static void lost_pivots(void)
{
    struct pof_err err = {0};
    struct pof_ldl *ldl = NULL;
    uint32_t row[] = {0, 0}, col[] = {1, 2}, slot[2], diagonal[4];
    bool negative[8] = {false, false, true, true, true, true, false, false};
    struct pof_ldl_places p = {.blocks = 4, .row = row, .col = col, .n = 2, .negative = negative};
    size_t n;
    if (!ok(pof_ldl_new(&ldl, &p, slot, diagonal, &err) == 0, "a small system")) {
        return;
    }
    double *a = pof_ldl_values(ldl, &n);
    memset(a, 0, n * sizeof *a);
    for (unsigned i = 0; i < 2; i++) {
        a[pof_ldl_at(diagonal[0], i, i)] = 3;
        a[pof_ldl_at(slot[0], i, i)] = a[pof_ldl_at(slot[1], i, i)] = 1;
    }
    a[pof_ldl_at(diagonal[1], 0, 0)] = a[pof_ldl_at(diagonal[1], 1, 1)] = -1e-3;
    a[pof_ldl_at(diagonal[2], 0, 0)] = a[pof_ldl_at(diagonal[2], 1, 1)] = -1e-3;
    is_int(pof_ldl_factor(ldl), 2, "a block of zeros loses its two pivots");
    ok(pof_ldl_infinite(ldl, 6) && pof_ldl_infinite(ldl, 7) && !pof_ldl_infinite(ldl, 0), "they are those");
    const uint32_t *order = pof_ldl_order(ldl);
    double x[8] = {0};
    x[2 * order[1]] = x[2 * order[2]] = 0.5; /* both constraints: x0 = 0.5 */
    x[2 * order[3]] = 7;
    pof_ldl_solve(ldl, x);
    is_near(x[2 * order[0]], 0.5, 1e-3, "constraints that agree hold");
    ok(x[2 * order[3]] == 0, "what has no pivot stays");
    pof_ldl_free(ldl);
}

int main(void)
{
    against_klu(1, 5, false);
    against_klu(60, 7, true);
    against_klu(60, 7, false);
    against_klu(250, 15, true);
    same_on_all();
    lost_pivots();
    return done();
}
