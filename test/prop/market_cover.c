/* SPDX-License-Identifier: Apache-2.0 */
/* The least-cost choice against GLPK's simplex method on random instances. */
#include "market/cover.h"

#include "num/rng.h"
#include "tap.h"

#include <glpk.h>

enum { CASES = 400, ROWS_MAX = 12, COLS_MAX = 60 };

static uint64_t seed = 20260310;

static double draw(uint64_t a, uint64_t b, int64_t low, int64_t high)
{
    return (double)(low + (int64_t)pof_below(pof_random(seed, a, b), (uint64_t)(high - low + 1)));
}

struct instance {
    size_t rows, cols;
    double a[ROWS_MAX * COLS_MAX], need[ROWS_MAX], cost[COLS_MAX], most[COLS_MAX];
};

/* Effects of either sign, some rows alike, some needs already met, many ties. */
static void make(struct instance *t, uint64_t c)
{
    t->rows = (size_t)draw(c, 1, 1, ROWS_MAX);
    t->cols = (size_t)draw(c, 2, 1, COLS_MAX);
    for (size_t j = 0; j < t->cols; j++) {
        t->cost[j] = draw(c, 100 + j, 1, c % 3 ? 300000 : 3);
        t->most[j] = draw(c, 200 + j, 0, 9000);
    }
    for (size_t i = 0; i < t->rows; i++) {
        double sum = 0, unit = draw(c, 300 + i, 1, 1000) * 1e-6;
        for (size_t j = 0; j < t->cols; j++) {
            double *a = &t->a[i * t->cols + j];
            *a = unit * draw(c, 1000 + 100 * i + j, c % 2 ? -3 : 0, 10);
            if (i && i % 4 == 0) {
                *a = t->a[(i - 1) * t->cols + j] * (1 + 1e-4 * draw(c, 5000 + 100 * i + j, 0, 9));
            }
            sum += *a > 0 ? *a * t->most[j] : 0;
        }
        t->need[i] = sum * draw(c, 400 + i, -10, 90) / 100;
    }
}

/* Cost by GLPK; false: infeasible. */
static bool by_glpk(const struct instance *t, double *cost)
{
    glp_prob *lp = glp_create_prob();
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    glp_add_rows(lp, (int)t->rows);
    glp_add_cols(lp, (int)t->cols);
    for (size_t j = 0; j < t->cols; j++) {
        glp_set_col_bnds(lp, (int)j + 1, t->most[j] > 0 ? GLP_DB : GLP_FX, 0, t->most[j]);
        glp_set_obj_coef(lp, (int)j + 1, t->cost[j]);
    }
    for (size_t i = 0; i < t->rows; i++) {
        int at[COLS_MAX + 1];
        double value[COLS_MAX + 1];
        for (size_t j = 0; j < t->cols; j++) {
            at[j + 1] = (int)j + 1;
            value[j + 1] = t->a[i * t->cols + j];
        }
        glp_set_row_bnds(lp, (int)i + 1, GLP_LO, t->need[i], 0);
        glp_set_mat_row(lp, (int)i + 1, (int)t->cols, at, value);
    }
    glp_scale_prob(lp, GLP_SF_AUTO);
    bool found = glp_simplex(lp, &how) == 0 && glp_get_status(lp) == GLP_OPT;
    *cost = glp_get_obj_val(lp);
    glp_delete_prob(lp);
    return found;
}

static uint64_t feasible, infeasible;

static void compare(uint64_t c)
{
    static struct instance t;
    double x[COLS_MAX], price[ROWS_MAX], want, cost = 0, dual = 0, off = 0;
    struct pof_err err = {0};
    bool met = false;
    make(&t, c);
    struct pof_cover cover = {t.rows, t.cols, t.a, t.need, t.cost, t.most};
    int rc = pof_cover_solve(&cover, x, price, &met, &err);
    bool found = by_glpk(&t, &want);
    for (size_t j = 0; j < t.cols; j++) {
        double d = t.cost[j];
        cost += t.cost[j] * x[j];
        off = fmax(off, fmax(-x[j], x[j] - t.most[j]));
        for (size_t i = 0; i < t.rows; i++) {
            d -= price[i] * t.a[i * t.cols + j];
        }
        dual += fmin(d, 0) * t.most[j]; /* weak duality, by the prices that come with it */
    }
    for (size_t i = 0; i < t.rows; i++) {
        double sum = 0, largest = 1e-12;
        for (size_t j = 0; j < t.cols; j++) {
            sum += t.a[i * t.cols + j] * x[j];
            largest = fmax(largest, fabs(t.a[i * t.cols + j]));
        }
        dual += price[i] * t.need[i];
        off = fmax(off, met ? (t.need[i] - sum) / largest : 0);
    }
    feasible += found;
    infeasible += !found;
    double near = 1e-6 * fmax(1, fabs(want));
    if (!ok(rc == 0 && met == found && off < 1e-5 &&
                (!found || (fabs(cost - want) < near && fabs(dual - want) < near)),
            "case %d: %zu needs, %zu amounts", (int)c, t.rows, t.cols)) {
        printf("# rc %d met %d found %d off %g cost %.9g want %.9g dual %.9g %s\n", rc, met, found, off,
               cost, want, dual, err.text);
    }
}

/* market_cover [SEED [CASES]] */
int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : seed;
    uint64_t cases = argc > 2 ? strtoull(argv[2], NULL, 10) : CASES;
    printf("# seed %llu\n", (unsigned long long)seed);
    glp_term_out(GLP_OFF);
    for (uint64_t c = 0; c < cases; c++) {
        compare(c);
    }
    ok(feasible > cases / 4 && infeasible > cases / 50, "%llu have a solution, %llu have none",
       (unsigned long long)feasible, (unsigned long long)infeasible);
    glp_free_env();
    return done();
}
