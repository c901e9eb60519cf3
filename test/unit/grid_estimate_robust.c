/* SPDX-License-Identifier: Apache-2.0 */
/* Huber's estimator and least absolute values: optimal by their own certificates, and not led astray
 * by gross errors that least squares follow. */
#include "grid/estimate_impl.h"
#include "grid/estimate_robust.h"
#include "grid/format.h"
#include "tap.h"

#include <stdio.h>
#include <time.h>

/* A file below the data, NUL behind; NULL: none. */
static char *slurp(const char *name, size_t *len)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", tap_data(), name);
    FILE *f = fopen(path, "r");
    char *data = f ? malloc(1u << 20) : NULL;
    *len = f ? fread(data, 1, (1u << 20) - 1, f) : 0;
    if (f) {
        fclose(f);
        data[*len] = '\0';
    }
    return data;
}

struct job {
    struct pof_grid grid;
    struct pof_observation o[1000];
    size_t n;
    struct pof_se *se;
    double force[1000];
    struct pof_se_robust robust;
};

static uint32_t closed_branch(const struct pof_grid *g, int k)
{
    uint32_t b = 0;
    for (; b < g->branches; b++) {
        k -= g->branch[b].closed;
        if (k == 0) {
            break;
        }
    }
    return b;
}

/* type,element,value,sigma in p.u.; injections are generation there, consumption here. */
static void read_line(struct job *j, const char *line)
{
    char type[32], element[32];
    double value, sigma;
    if (sscanf(line, "%31[^,],%31[^,],%lf,%lf", type, element, &value, &sigma) != 4) {
        return;
    }
    uint32_t node = pof_names_find(&j->grid.node_names, pof_text(element));
    if (strcmp(type, "zero_injection") == 0) {
        j->grid.node[node].zero_injection = true;
        return;
    }
    struct pof_observation *o = &j->o[j->n++];
    double unit = j->grid.base_va;
    *o = (struct pof_observation){.element = node,
                                  .quantity = type[0] == 'q' ? POF_QUANTITY_Q : POF_QUANTITY_P};
    if (strncmp(type + 2, "from", 4) == 0) {
        o->branch = true;
        o->element = closed_branch(&j->grid, (int)strtol(element, NULL, 10));
    } else if (type[0] == 'v') {
        o->quantity = POF_QUANTITY_V;
        unit = j->grid.node[node].base_v;
    } else {
        unit = -unit;
    }
    o->value = value * unit;
    o->sigma = sigma * fabs(unit);
}

static bool load(struct job *j, const char *network, const char *name)
{
    char path[256];
    size_t len;
    struct pof_err err = {0};
    *j = (struct job){0};
    snprintf(path, sizeof path, "grids/matpower/%s.m", network);
    char *text = slurp(path, &len);
    int rc = text ? pof_matpower_read(&j->grid, (struct pof_text){text, len}, path, NULL, &err) : -1;
    free(text);
    for (uint32_t i = 0; rc == 0 && i < j->grid.nodes; i++) {
        j->grid.node[i].zero_injection = false;
    }
    snprintf(path, sizeof path, "grids/se/wls/%s/measurements.csv", name);
    text = slurp(path, &len);
    for (char *line = text ? strchr(text, '\n') : NULL; rc == 0 && line && line[1];
         line = strchr(line + 1, '\n')) {
        read_line(j, line + 1);
    }
    free(text);
    rc = rc ? rc : pof_se_new(&j->se, &j->grid, NULL, &err);
    return rc == 0 && j->n > 0;
}

static void drop(struct job *j)
{
    pof_se_free(j->se);
    pof_grid_release(&j->grid);
}

static bool solve(struct job *j, enum pof_se_estimator e)
{
    struct pof_err err = {0};
    enum pof_se_status status = POF_SE_DIVERGED;
    j->robust = (struct pof_se_robust){.force = j->force};
    memset(j->force, 0, sizeof j->force);
    int rc = pof_se_solve(j->se, j->o, j->n, &status, &err);
    rc = rc ? rc : pof_se_robust(j->se, e, &j->robust, &status, &err);
    if (rc || status != POF_SE_CONVERGED) {
        struct pof_se_result r;
        pof_se_result(j->se, &r);
        printf("# %s %s\n", err.text, r.detail);
    }
    return rc == 0 && status == POF_SE_CONVERGED;
}

/* What the state would be read as, less the reading, in units of sigma. */
static double deviation(const struct job *j, size_t i)
{
    const struct pof_observation *o = &j->o[i];
    struct pof_se_result r;
    pof_se_result(j->se, &r);
    const double *p = o->branch ? r.p_from_w : r.p_w;
    const double *q = o->branch ? r.q_from_var : r.q_var;
    double h = o->quantity == POF_QUANTITY_V   ? r.v_pu[o->element] * j->grid.node[o->element].base_v
               : o->quantity == POF_QUANTITY_P ? p[o->element]
                                               : q[o->element];
    return (o->value - h) / o->sigma;
}

static double sum_of(const struct job *j, bool lav, double k)
{
    double sum = 0;
    for (size_t i = 0; i < j->n; i++) {
        double u = fabs(deviation(j, i));
        sum += lav ? u : u <= k ? u * u / 2 : k * u - k * k / 2;
    }
    return sum;
}

/* The certificate, from the outside: forces are derivatives of the function at the deviations. */
static void certified(struct job *j, const char *name, bool lav)
{
    double most = 0, apart = 0, k = lav ? 1e-5 : 1.345;
    for (size_t i = 0; i < j->n; i++) {
        double u = deviation(j, i);
        most = fmax(most, fabs(j->force[i]));
        apart = fmax(apart, fabs(j->force[i] - fmax(-1, fmin(1, u / k))));
    }
    ok(most <= 1, "%s: forces are within [-1, 1]", name);
    /* u / k of LAV is known to 1e-10 / 1e-5 */
    ok(apart <= (lav ? 1e-3 : 1e-5), "%s: forces are derivatives at the deviations (%.1e)", name,
       apart);
    double want = sum_of(j, lav, k);
    ok(fabs(j->robust.objective / want - 1) <= 1e-9, "%s: the sum is %.9g", name, want);
    if (lav) {
        /* |u| - u^2 / k is at most k / 4 */
        ok(j->robust.gap >= -1e-9 && j->robust.gap <= 1e-5 / 4 * (double)j->n,
           "%s: proved within %.1e of the least sum", name, j->robust.gap);
    }
}

/* Nearby states that meet the constraints have no smaller sum: the same readings with another one
 * leaned on, by least squares, are such states. */
static void none_better(struct job *j, const char *name, enum pof_se_estimator e)
{
    struct pof_err err = {0};
    enum pof_se_status status;
    double least = j->robust.objective, k = 1.345, best = INFINITY;
    struct pof_observation keep[1000];
    memcpy(keep, j->o, sizeof keep);
    double at[1000];
    for (size_t i = 0; i < j->n; i++) {
        at[i] = keep[i].value - deviation(j, i) * keep[i].sigma;
    }
    for (size_t move = 0; move < j->n; move += 7) {
        for (size_t i = 0; i < j->n; i++) {
            j->o[i].value = at[i];
        }
        j->o[move].value += 0.02 * keep[move].sigma;
        int rc = pof_se_solve(j->se, j->o, j->n, &status, &err);
        memcpy(j->o, keep, sizeof keep);
        best = rc == 0 && status == POF_SE_CONVERGED
                   ? fmin(best, sum_of(j, e == POF_SE_LAV, k))
                   : -1;
    }
    ok(best > least - j->robust.gap, "%s: no state nearby does better (%.9g, %.9g)", name, best,
       least);
}

/* Gross errors are what is furthest off, and the state is nearer to the truth than with WLS. */
static void gross(const char *network, const char *name, size_t bad)
{
    static struct job j;
    double wls[1000];
    if (!ok(load(&j, network, name) && solve(&j, POF_SE_WLS), "%s: least squares", name)) {
        return;
    }
    for (size_t i = 0; i < j.n; i++) {
        wls[i] = fabs(deviation(&j, i));
    }
    static const enum pof_se_estimator both[] = {POF_SE_HUBER, POF_SE_LAV};
    for (size_t e = 0; e < 2; e++) {
        char label[64];
        snprintf(label, sizeof label, "%s %s", name, e ? "lav" : "huber");
        clock_t begin = clock();
        if (!ok(solve(&j, both[e]), "%s: found", label)) {
            continue;
        }
        printf("# %s: %d problems, %.1f ms\n", label, j.robust.solves,
               (double)(clock() - begin) * 1e3 / CLOCKS_PER_SEC);
        certified(&j, label, e == 1);
        size_t worst = 0;
        for (size_t i = 0; i < j.n; i++) {
            worst = fabs(deviation(&j, i)) > fabs(deviation(&j, worst)) ? i : worst;
        }
        if (bad > 0) {
            ok(worst == bad - 1 && fabs(deviation(&j, worst)) > wls[worst],
               "%s: the gross error is furthest off, %.1f sigma (%.1f by least squares)", label,
               fabs(deviation(&j, worst)), wls[worst]);
        }
        none_better(&j, label, both[e]);
    }
    drop(&j);
}

/* Five gross errors at once that support each other in part. */
static void many(void)
{
    static struct job j;
    static const size_t at[] = {20, 45, 61, 70, 77};
    double truth[64], off[3] = {0};
    struct pof_se_result r;
    if (!ok(load(&j, "case14", "case14_std") && solve(&j, POF_SE_WLS), "case14: least squares")) {
        return;
    }
    pof_se_result(j.se, &r);
    memcpy(truth, r.v_pu, j.grid.nodes * sizeof *truth);
    for (size_t i = 0; i < 5; i++) {
        j.o[at[i]].value += 25 * j.o[at[i]].sigma;
    }
    for (int e = 0; e < 3; e++) {
        ok(solve(&j, (enum pof_se_estimator)e), "five gross errors, estimator %d", e);
        pof_se_result(j.se, &r);
        for (uint32_t i = 0; i < j.grid.nodes; i++) {
            off[e] = fmax(off[e], fabs(r.v_pu[i] - truth[i]));
        }
    }
    ok(off[1] < off[0] / 2 && off[2] < off[0] / 2,
       "voltages off by %.4f with least squares, %.4f with huber, %.4f with lav", off[0], off[1],
       off[2]);
    drop(&j);
}

int main(void)
{
    if (!tap_data()) {
        skip("robust estimators on published cases", "no shared data");
        return done();
    }
    gross("case14", "case14_std", 0);
    gross("case14", "case14_bad1", 43);
    gross("case14", "case14_lean", 0);
    gross("case118", "case118_bad1", 159);
    gross("rad100", "rad100_dist", 0);
    many();
    return done();
}
