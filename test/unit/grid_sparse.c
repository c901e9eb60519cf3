/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns, products and factors against dense arithmetic. */
#include "grid/sparse.h"
#include "num/rng.h"
#include "tap.h"

enum { N = 60, PLACES = 400 };

static double unit(uint64_t a, uint64_t b)
{
    return (double)(pof_random(7, a, b) >> 11) / 4503599627370496.0 - 1;
}

/* Random places, some of them twice, with a diagonal when asked for. */
struct sample {
    int32_t row[PLACES], col[PLACES], slot[PLACES];
    double value[PLACES];
    double dense[N][N];
    struct pof_csc a;
};

static void make(struct sample *s, uint64_t seed, bool diagonal)
{
    struct pof_err err = {0};
    memset(s, 0, sizeof *s);
    for (int k = 0; k < PLACES; k++) {
        s->row[k] = diagonal && k < N ? k : (int32_t)pof_below(pof_random(seed, 1, (uint64_t)k), N);
        s->col[k] = diagonal && k < N ? k : (int32_t)pof_below(pof_random(seed, 2, (uint64_t)k), N);
        s->value[k] = unit(seed, (uint64_t)k) + (diagonal && k < N ? 4 : 0);
        s->dense[s->row[k]][s->col[k]] += s->value[k];
    }
    struct pof_places places = {s->row, s->col, PLACES};
    if (pof_csc_pattern(&s->a, N, N, &places, s->slot, &err)) {
        ok(false, "%s", err.text);
        return;
    }
    for (int k = 0; k < PLACES; k++) {
        s->a.value[s->slot[k]] += s->value[k];
    }
}

static void test_pattern(void)
{
    struct sample s;
    make(&s, 1, false);
    bool sorted = true, equal = true;
    int entries = 0;
    for (int32_t c = 0; c < N; c++) {
        for (int32_t k = s.a.col[c]; k < s.a.col[c + 1]; k++) {
            sorted &= k == s.a.col[c] || s.a.row[k - 1] < s.a.row[k];
            equal &= fabs(s.a.value[k] - s.dense[s.a.row[k]][c]) < 1e-14;
            entries++;
        }
    }
    int want = 0;
    for (int r = 0; r < N; r++) {
        for (int c = 0; c < N; c++) {
            want += s.dense[r][c] != 0;
        }
    }
    ok(sorted, "rows ascend");
    ok(equal, "places add up");
    is_int(entries, want, "one entry a place");

    struct pof_err err = {0};
    pof_csc_release(&s.a);

    int32_t out[] = {3};
    struct pof_places bad = {out, out, 1};
    is_int(pof_csc_pattern(&s.a, 3, 3, &bad, NULL, &err), POF_E_RANGE, "a place outside is refused");
}

static double residual(const struct sample *s, const double *x, const double *b, bool transposed)
{
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++) {
            sum += (transposed ? s->dense[j][i] : s->dense[i][j]) * x[j];
        }
        worst = fmax(worst, fabs(sum - b[i]));
    }
    return worst;
}

static void test_solve(void)
{
    struct sample s;
    struct pof_lu *lu;
    struct pof_err err = {0};
    enum pof_lu_status status;
    make(&s, 2, true);
    ok(pof_lu_new(&lu, &s.a, &err) == 0, "analysed");
    double b[N], x[N];
    ok(pof_lu_solve(lu, x, 1, &err) == POF_E_INTERNAL, "no solving before factors");
    for (int round = 0; round < 3; round++) {
        ok(pof_lu_factor(lu, &status, &err) == 0 && status == POF_LU_OK, "factors %d", round);
        for (int i = 0; i < N; i++) {
            b[i] = x[i] = unit(5, (uint64_t)i);
        }
        ok(pof_lu_solve(lu, x, 1, &err) == 0, "solved");
        is_near(residual(&s, x, b, false), 0, 1e-12, "A x = b");
        memcpy(x, b, sizeof x);
        ok(pof_lu_solve_transposed(lu, x, 1, &err) == 0, "solved transposed");
        is_near(residual(&s, x, b, true), 0, 1e-12, "A' x = b");
        for (int k = 0; k < N; k++) {
            s.a.value[s.slot[k]] += 0.5;
            s.dense[k][k] += 0.5;
        }
    }
    unsigned full, kept;
    pof_lu_counts(lu, &full, &kept);
    is_int(full, 1, "pivots chosen once");
    is_int(kept, 2, "and kept twice");

    /* Diagonal entries that were the pivots vanish almost: the kept order must be given up. */
    for (int k = 0; k < N; k++) {
        s.dense[k][k] -= s.a.value[s.slot[k]] - 1e-11 * (1 + k);
        s.a.value[s.slot[k]] = 1e-11 * (1 + k);
    }
    int rc = pof_lu_factor(lu, &status, &err);
    pof_lu_counts(lu, &full, &kept);
    ok(rc == 0 && full == 2, "bad pivots are chosen anew");
    if (status == POF_LU_OK) {
        memcpy(x, b, sizeof x);
        ok(pof_lu_solve(lu, x, 1, &err) == 0, "solved");
        is_near(residual(&s, x, b, false), 0, 1e-9, "accurately");
    }
    pof_lu_free(lu);
    pof_csc_release(&s.a);
}

static void test_singular(void)
{
    struct sample s;
    struct pof_lu *lu;
    struct pof_err err = {0};
    enum pof_lu_status status;
    make(&s, 3, true);
    for (int32_t k = s.a.col[17]; k < s.a.col[18]; k++) {
        s.a.value[k] = 0;
    }
    ok(pof_lu_new(&lu, &s.a, &err) == 0, "analysed");
    ok(pof_lu_factor(lu, &status, &err) == 0 && status == POF_LU_SINGULAR, "a zero column is singular");
    s.a.value[s.slot[17]] = 3;
    ok(pof_lu_factor(lu, &status, &err) == 0 && status == POF_LU_OK, "filled it is not");
    pof_lu_free(lu);
    pof_csc_release(&s.a);

    int32_t row[] = {0, 1, 1}, col[] = {0, 0, 2};
    struct pof_places places = {row, col, 3};
    struct pof_csc a;
    ok(pof_csc_pattern(&a, 3, 3, &places, NULL, &err) == 0, "a pattern with an empty column");
    a.value[0] = a.value[1] = a.value[2] = 1;
    ok(pof_lu_new(&lu, &a, &err) == 0, "analysed");
    ok(pof_lu_factor(lu, &status, &err) == 0 && status == POF_LU_SINGULAR, "singular by its pattern");
    pof_lu_free(lu);
    pof_csc_release(&a);
}

int main(void)
{
    test_pattern();
    test_solve();
    test_singular();
    return done();
}
