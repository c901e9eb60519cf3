/* SPDX-License-Identifier: Apache-2.0 */
/* Constrained least squares: known answers, optimality of random problems, and rank. */
#include "grid/dense.h"
#include "num/gauss.h"
#include "tap.h"

enum { ROWS = 40, COLS = 17, CONSTRAINTS = 6 };

static void fill(double *to, int n, uint64_t seed, uint64_t stream)
{
    for (int i = 0; i < n; i++) {
        to[i] = pof_gauss(seed, stream, (uint64_t)i);
    }
}

/* The best point is feasible, and its residual has no part along any direction that stays so: the
 * gradient A'(Ax - c) is a combination of the rows of B, so its part off them is zero. It is found
 * by solving for the multipliers, least squares again. */
static void random_problems(void)
{
    double worst = 0, infeasible = 0;
    bool all = true;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        double a[ROWS * COLS], b[CONSTRAINTS * COLS], c[ROWS], d[CONSTRAINTS], x[COLS];
        double a0[ROWS * COLS], b0[CONSTRAINTS * COLS], c0[ROWS], d0[CONSTRAINTS];
        struct pof_err err = {0};
        bool full = false;
        fill(a, ROWS * COLS, seed, 1);
        fill(b, CONSTRAINTS * COLS, seed, 2);
        fill(c, ROWS, seed, 3);
        fill(d, CONSTRAINTS, seed, 4);
        memcpy(a0, a, sizeof a);
        memcpy(b0, b, sizeof b);
        memcpy(c0, c, sizeof c);
        memcpy(d0, d, sizeof d);
        struct pof_dense_lse p = {ROWS, CONSTRAINTS, COLS, a, b, c, d};
        all = pof_dense_lse(&p, x, &full, &err) == 0 && full && all;
        double g[COLS] = {0}, bt[COLS * CONSTRAINTS], none[1] = {0}, l[CONSTRAINTS];
        for (int i = 0; i < ROWS; i++) {
            double r = -c0[i];
            for (int j = 0; j < COLS; j++) {
                r += a0[j * ROWS + i] * x[j];
            }
            for (int j = 0; j < COLS; j++) {
                g[j] += a0[j * ROWS + i] * r;
            }
        }
        for (int i = 0; i < CONSTRAINTS; i++) {
            double r = -d0[i];
            for (int j = 0; j < COLS; j++) {
                r += b0[j * CONSTRAINTS + i] * x[j];
                bt[i * COLS + j] = b0[j * CONSTRAINTS + i];
            }
            infeasible = fmax(infeasible, fabs(r));
        }
        double left[COLS];
        memcpy(left, g, sizeof g);
        struct pof_dense_lse q = {COLS, 0, CONSTRAINTS, bt, none, g, none};
        all = pof_dense_lse(&q, l, &full, &err) == 0 && full && all;
        for (int j = 0; j < COLS; j++) {
            for (int i = 0; i < CONSTRAINTS; i++) {
                left[j] -= b0[j * CONSTRAINTS + i] * l[i];
            }
            worst = fmax(worst, fabs(left[j]));
        }
    }
    ok(all && infeasible < 1e-12, "50 random problems meet their constraints within %.1e",
       infeasible);
    ok(worst < 1e-11, "and nothing better is near: gradient along them at most %.1e", worst);
}

static void ranks(void)
{
    struct pof_err err = {0};
    double x[2] = {7, 7};
    bool full = true;
    double a[] = {1, 0, 0, 1}, c[] = {3, 5}, b[] = {1, 2, 1, 2}, d[] = {4, 8};
    struct pof_dense_lse p = {2, 2, 2, a, b, c, d};
    ok(pof_dense_lse(&p, x, &full, &err) == 0 && !full && x[0] == 7, "rows of B that repeat");
    double a2[] = {1, 1, 1, 1}, c2[] = {1, 2}, none[1] = {0};
    struct pof_dense_lse q = {2, 0, 2, a2, none, c2, none};
    ok(pof_dense_lse(&q, x, &full, &err) == 0 && !full, "columns of A that repeat");
    double a3[] = {1, 0, 0, 1}, c3[] = {3, 5}, b3[] = {1, 1}, d3[] = {4};
    struct pof_dense_lse r = {2, 1, 2, a3, b3, c3, d3};
    ok(pof_dense_lse(&r, x, &full, &err) == 0 && full && fabs(x[0] - 1) < 1e-14 &&
           fabs(x[1] - 3) < 1e-14,
       "the point of a line nearest to another");
    double b4[] = {1, 0, 0, 1}, d4[] = {2, 9};
    struct pof_dense_lse s = {0, 2, 2, none, b4, none, d4};
    ok(pof_dense_lse(&s, x, &full, &err) == 0 && full && fabs(x[0] - 2) < 1e-14 &&
           fabs(x[1] - 9) < 1e-14,
       "constraints alone");
}

int main(void)
{
    random_problems();
    ranks();
    return done();
}
