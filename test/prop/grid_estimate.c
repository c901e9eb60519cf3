/* SPDX-License-Identifier: Apache-2.0 */
/* Random sets of readings of the sample grids: what is called observable is so by the rank of the
 * dense Jacobian and gives the true state; what is not, is not; more readings never hurt. */
#include "grid/estimate_impl.h"
#include "grid/powerflow.h"
#include "num/rng.h"
#include "tap.h"

#include <stdio.h>

enum { SETS = 150, MOST = 400 };

struct scene {
    struct pof_grid grid;
    struct pof_pf *pf;
    struct pof_pf_result truth;
    struct pof_observation all[MOST];
    size_t n;
};

static bool load(struct scene *s, const char *path)
{
    struct pof_err err = {0};
    struct pof_pf_options options = {.tolerance = 1e-12};
    enum pof_pf_status status = POF_PF_DIVERGED;
    FILE *f = fopen(path, "r");
    char *text = malloc(1u << 20);
    size_t n = f ? fread(text, 1, (1u << 20) - 1, f) : 0;
    text[n] = '\0';
    int rc = pof_grid_parse(&s->grid, text, n, path, &err);
    if (f) {
        fclose(f);
    }
    free(text);
    double *p = calloc(s->grid.nodes, sizeof *p);
    for (uint32_t i = 0; i < s->grid.nodes; i++) {
        p[i] = 0.4 * s->grid.node[i].rated_w;
    }
    rc = rc ? rc : pof_pf_new(&s->pf, &s->grid, &options, &err);
    rc = rc ? rc : pof_pf_solve(s->pf, p, NULL, true, &status, &err);
    free(p);
    if (rc == 0) {
        pof_pf_result(s->pf, &s->truth);
    }
    return rc == 0 && status == POF_PF_CONVERGED;
}

static void add(struct scene *s, uint32_t element, bool branch, uint8_t quantity, double value)
{
    double sigma = quantity == POF_QUANTITY_V ? 0.005 * value : 0.01 * s->grid.base_va;
    s->all[s->n++] = (struct pof_observation){
        .element = element, .branch = branch, .quantity = quantity, .value = value, .sigma = sigma};
}

/* Everything that could be read. */
static void list(struct scene *s)
{
    const struct pof_pf_result *t = &s->truth;
    for (uint32_t i = 0; i < s->grid.nodes; i++) {
        if (t->v_pu[i] > 0) {
            add(s, i, false, POF_QUANTITY_V, t->v_pu[i] * s->grid.node[i].base_v);
            add(s, i, false, POF_QUANTITY_P, t->p_w[i]);
            add(s, i, false, POF_QUANTITY_Q, t->q_var[i]);
        }
    }
    for (uint32_t b = 0; b < s->grid.branches; b++) {
        if (s->grid.branch[b].closed && t->v_pu[s->grid.branch[b].from] > 0) {
            add(s, b, true, POF_QUANTITY_P, t->p_from_w[b]);
            add(s, b, true, POF_QUANTITY_Q, t->q_from_var[b]);
        }
    }
}

/* The Jacobian of all rows at the true state, each row with its largest element 1. */
static double *jacobian(struct pof_se *se, const struct scene *s)
{
    size_t cols = 2 * (size_t)se->net.nodes;
    double *a = calloc(se->rows * cols, sizeof *a);
    double h[512];
    for (uint32_t k = 0; k < se->net.nodes; k++) {
        uint32_t i = se->net.first_of[k];
        se->from.vm[k] = s->truth.v_pu[i];
        se->from.vr[k] = s->truth.v_pu[i] * cos(s->truth.angle[i]);
        se->from.vi[k] = s->truth.v_pu[i] * sin(s->truth.angle[i]);
    }
    for (size_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        double most = 0;
        pofi_se_gradient(se, row, &se->from, h);
        for (uint32_t k = 0; k < 2 * row->n; k++) {
            most = fmax(most, fabs(h[k]));
        }
        for (uint32_t k = 0; k < 2 * row->n; k++) {
            a[i * cols + 2 * (size_t)se->block[row->begin + k / 2] + k % 2] = h[k] / most;
        }
    }
    return a;
}

static void swap(double *x, double *y)
{
    double z = *x;
    *x = *y;
    *y = z;
}

/* Brings the largest element of what is left to the diagonal; returns its size. */
static double bring_largest(double *a, size_t rows, size_t cols, size_t step)
{
    size_t r = step, c = step;
    double most = 0;
    for (size_t i = step; i < rows; i++) {
        for (size_t j = step; j < cols; j++) {
            if (fabs(a[i * cols + j]) > most) {
                most = fabs(a[i * cols + j]);
                r = i;
                c = j;
            }
        }
    }
    for (size_t j = 0; j < cols && most > 0; j++) {
        swap(&a[r * cols + j], &a[step * cols + j]);
    }
    for (size_t i = 0; i < rows && most > 0; i++) {
        swap(&a[i * cols + c], &a[i * cols + step]);
    }
    return most;
}

/* The last pivot by Gaussian elimination with complete pivoting, relative to the first: 0 when
 * columns depend on each other. */
static double smallest_pivot(struct pof_se *se, const struct scene *s)
{
    size_t cols = 2 * (size_t)se->net.nodes, rows = se->rows;
    double *a = jacobian(se, s);
    double first = 0, pivot = 0;
    for (size_t step = 0; step < cols; step++) {
        pivot = bring_largest(a, rows, cols, step);
        first = step == 0 ? pivot : first;
        if (pivot == 0) {
            break;
        }
        for (size_t i = step + 1; i < rows; i++) {
            double f = a[i * cols + step] / a[step * cols + step];
            for (size_t j = step; f != 0 && j < cols; j++) {
                a[i * cols + j] -= f * a[step * cols + j];
            }
        }
    }
    free(a);
    return first > 0 ? pivot / first : 0;
}

struct tally {
    int observable, not_observable, wrong, lost, hurt, weak;
    double off;
};

static void try_set(const struct scene *s, struct pof_se *se, uint64_t seed, struct tally *t)
{
    struct pof_observation o[MOST];
    struct pof_err err = {0};
    enum pof_se_status status = POF_SE_DIVERGED;
    size_t n = 0;
    uint64_t share = 20 + pof_below(pof_random(seed, 0, 9), 75);
    for (size_t i = 0; i < s->n; i++) {
        if (pof_below(pof_random(seed, i, 1), 100) < share) {
            o[n++] = s->all[i];
        }
    }
    if (pof_se_solve(se, o, n, &status, &err)) {
        printf("# %s\n", err.text);
        t->wrong++;
        return;
    }
    double pivot = smallest_pivot(se, s);
    struct pof_se_result r;
    pof_se_result(se, &r);
    if (status == POF_SE_UNOBSERVABLE) {
        t->not_observable++;
        t->weak += pivot > 1e-9;
        t->wrong += pivot > 1e-2; /* clearly determined, yet refused */
        return;
    }
    t->observable++;
    t->wrong += pivot < 1e-9;
    t->lost += status != POF_SE_CONVERGED;
    for (uint32_t i = 0; i < s->grid.nodes; i++) {
        t->off = fmax(t->off, fabs(r.v_pu[i] - s->truth.v_pu[i]));
        t->off = fmax(t->off, fabs(r.angle[i] - s->truth.angle[i]));
    }
    for (size_t i = 0; i < s->n && n < MOST; i += 3) {
        o[n++] = s->all[i];
    }
    t->hurt += pof_se_solve(se, o, n, &status, &err) || status != POF_SE_CONVERGED;
}

static void property(const char *path)
{
    struct scene s = {0};
    struct pof_se *se = NULL;
    struct pof_err err = {0};
    struct tally t = {0};
    if (!ok(load(&s, path) && pof_se_new(&se, &s.grid, NULL, &err) == 0, "%s: loaded", path)) {
        return;
    }
    list(&s);
    for (uint64_t seed = 1; seed <= SETS; seed++) {
        int before = t.wrong + t.lost + t.hurt;
        try_set(&s, se, seed, &t);
        if (t.wrong + t.lost + t.hurt > before) {
            printf("# %s: seed %d\n", path, (int)seed);
        }
    }
    ok(t.observable > 10 && t.not_observable > 10, "%s: %d sets are observable, %d are not", path,
       t.observable, t.not_observable);
    ok(t.wrong == 0, "%s: the rank of the dense Jacobian says the same (%d are weak)", path, t.weak);
    ok(t.lost == 0 && t.off < 1e-9, "%s: what is observable is found, within %.1e", path, t.off);
    ok(t.hurt == 0, "%s: more readings never hurt", path);
    pof_se_free(se);
    pof_pf_free(s.pf);
    pof_grid_release(&s.grid);
}

int main(void)
{
    property("samples/cigre-mv.json");
    property("samples/lv-feeder.json");
    return done();
}
