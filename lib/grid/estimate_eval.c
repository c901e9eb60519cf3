/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FULL_TURN (2 * 3.14159265358979323846)
/* Below this current (p.u.) its direction is noise: it gets no gradient. */
#define CURRENT_MIN 1e-9

#define LANES_TARGET
#define WIDTH 1
#define LANES(name) scalar_##name
#define LANES_LDL(name) pof_ldl_##name
#define lane lane_1
#define LANES_MORE lane_1_more
#include "grid/estimate_kernel.h"
#undef lane
#undef LANES_MORE
#undef LANES
#undef LANES_LDL
#undef WIDTH
#define WIDTH LANES_WIDE
#define LANES(name) wide_##name
#define LANES_LDL(name) pof_ldl_##name##_lanes
#define LANES_ONLY_BATCH
#define lane lane_4
#define LANES_MORE lane_4_more
#include "grid/estimate_kernel.h"
#undef LANES
#undef LANES_TARGET
#if LANES_HAVE_AVX2
#define LANES_TARGET LANES_AVX2
#define LANES(name) avx2_##name
#include "grid/estimate_kernel.h"
#undef LANES
#undef LANES_TARGET
#endif
#undef lane

void pofi_se_eval(const struct se_plan *p, const struct eval_lanes *l)
{
    scalar_eval(p, l);
}

void pofi_se_solve(const struct se_plan *p, const struct pof_ldl *ldl, const struct eval_lanes *l)
{
    pof_ldl_solve(ldl, l->rhs);
    scalar_complete(p, l);
}

void pofi_se_step(const struct se_plan *p, const struct eval_lanes *l, double *size)
{
    scalar_step(p, l, size);
}

void pofi_se_begin(const struct se_plan *p, const struct pof_ldl *ldl, const struct eval_lanes *l,
                   bool wide)
{
    if (!wide) {
        scalar_begin(p, ldl, l);
        return;
    }
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_begin(p, ldl, l);
        return;
    }
#endif
    wide_begin(p, ldl, l);
}

void pofi_se_next(const struct se_plan *p, const struct pof_ldl *ldl, const struct eval_lanes *l,
                  bool wide, double *size)
{
    if (!wide) {
        scalar_next(p, ldl, l, size);
        return;
    }
#if LANES_HAVE_AVX2
    if (lanes_avx2()) {
        avx2_next(p, ldl, l, size);
        return;
    }
#endif
    wide_next(p, ldl, l, size);
}

int pofi_se_lanes_new(const struct se_plan *p, struct eval_lanes *l, int width, struct pof_err *err)
{
    const struct {
        double **at;
        size_t n;
    } need[] = {{&l->v, 2 * (size_t)p->nodes},
                {&l->vm, p->nodes},
                {&l->x, 2 * (size_t)p->potentials},
                {&l->z, p->rows},
                {&l->w, p->rows},
                {&l->lambda, p->rows},
                {&l->rhs, p->unknowns},
                {&l->top, p->unknowns - 2 * (size_t)p->piece[p->pieces - 1].block},
                {&l->t, 2 * (size_t)p->nodes},
                {&l->r, p->rows},
                {&l->sums, EVAL_SUMS}};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof need / sizeof need[0]; i++) {
        size_t n = need[i].n * (size_t)width; /* lanes without an estimate must not be noise */
        rc = width > 1 ? pof_calloc(need[i].at, n, sizeof(double), err) : pof_alloc(need[i].at, n, sizeof(double), err);
    }
    return rc;
}

void pofi_se_lanes_free(struct eval_lanes *l)
{
    double *owned[] = {l->v, l->vm, l->x, l->z, l->w, l->lambda,
                       l->rhs, l->top, l->t, l->r, l->sums};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    *l = (struct eval_lanes){0};
}
