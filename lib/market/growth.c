/* SPDX-License-Identifier: Apache-2.0 */
/* How key figures grow with the size of the market. */
#include "market/kpi.h"

#include <math.h>
#include <stdlib.h>

int pof_growth_take(struct pof_growth *g, const struct pof_kpi *kpi, struct pof_err *err)
{
    if (kpi->kind != (int)g->kind) {
        g->other_kinds++;
        return 0;
    }
    if (!POF_HAS(kpi, kpi, pods) || kpi->pods <= 0) {
        g->sizeless++;
        return 0;
    }
    if (kpi->mean < 0) {
        pof_fail(err, POF_E_RANGE, "a mean below 0 is no time and no memory");
        return pof_at(err, NULL, 0, "mean");
    }
    struct pof_growth_point point = {.pods = kpi->pods, .mean = kpi->mean};
    int rc = pof_names_add(&g->flows, kpi->flow, &point.flow, err);
    if (rc || point.mean == 0) {
        g->zeros += rc == 0;
        return rc;
    }
    rc = pof_grow(&g->point, &g->cap, g->n + 1, sizeof point, err);
    if (rc == 0) {
        g->point[g->n++] = point;
    }
    return rc;
}

void pof_growth_release(struct pof_growth *g)
{
    pof_names_release(&g->flows);
    free(g->point);
    *g = (struct pof_growth){0};
}

/* A total order: sums of doubles must not depend on the order of input. */
static int point_cmp(const void *a, const void *b)
{
    const struct pof_growth_point *x = a;
    const struct pof_growth_point *y = b;
    if (x->flow != y->flow) {
        return x->flow < y->flow ? -1 : 1;
    }
    if (x->pods != y->pods) {
        return x->pods < y->pods ? -1 : 1;
    }
    return (x->mean > y->mean) - (x->mean < y->mean);
}

/* Slope of the line through n points: centred sums, Sxy / Sxx. */
static double slope(const struct pof_growth_point *p, size_t n)
{
    double mean_x = 0, mean_y = 0, sxx = 0, sxy = 0;
    for (size_t i = 0; i < n; i++) {
        mean_x += log((double)p[i].pods) / (double)n;
        mean_y += log(p[i].mean) / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double dx = log((double)p[i].pods) - mean_x;
        sxx += dx * dx;
        sxy += dx * (log(p[i].mean) - mean_y);
    }
    return sxy / sxx;
}

int pof_growth_make(struct pof_growth *g, pof_on_growth *emit, void *ctx, struct pof_err *err)
{
    uint32_t *order = NULL;
    int rc = pof_names_sorted(&g->flows, &order, err);
    if (rc == 0 && g->n > 0) {
        qsort(g->point, g->n, sizeof *g->point, point_cmp);
    }
    for (size_t f = 0; rc == 0 && f < g->flows.n; f++) {
        size_t first = 0, n = 0;
        while (first < g->n && g->point[first].flow != order[f]) {
            first++;
        }
        while (first + n < g->n && g->point[first + n].flow == order[f]) {
            n++;
        }
        bool exponent = n > 1 && log((double)g->point[first].pods) <
                                     log((double)g->point[first + n - 1].pods);
        struct pof_kpi kpi = {.flow = g->flows.text[order[f]],
                              .kind = POF_KPI_GROWTH,
                              .count = (int64_t)n,
                              .mean = exponent ? slope(&g->point[first], n) : 0};
        rc = emit(ctx, &kpi, exponent, err);
    }
    free(order);
    return rc;
}
