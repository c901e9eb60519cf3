/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/estimate_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FULL_TURN (2 * 3.14159265358979323846)
/* Below this current (p.u.) its direction is noise: it gets no gradient. */
#define CURRENT_MIN 1e-9
/* Beyond this tangent the series of its angle is long. */
#define TANGENT_MAX 0.03

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

#if LANES_HAVE_AVX2
#define IN_LANES(wide, call) ((wide) ? lanes_avx2() ? avx2_##call : wide_##call : scalar_##call)
#else
#define IN_LANES(wide, call) ((wide) ? wide_##call : scalar_##call)
#endif

void pofi_se_begin(const struct se_plan *p, const struct pof_ldl *ldl, const struct eval_lanes *l,
                   const struct eval_feed *feed, bool wide)
{
    IN_LANES(wide, begin)(p, ldl, l, feed);
}

void pofi_se_next(const struct se_plan *p, const struct pof_ldl *ldl, const struct eval_lanes *l,
                  bool wide, double *size)
{
    IN_LANES(wide, next)(p, ldl, l, size);
}

void pofi_se_take(const struct eval_lanes *l, const struct eval_feed *feed,
                  const struct eval_taken *to, bool wide)
{
    IN_LANES(wide, take)(l, feed, to);
}

/* Nodes of the longest piece but the last. */
static size_t longest_piece(const struct se_plan *p)
{
    size_t most = 0;
    for (uint32_t k = 0; k + 1 < p->pieces; k++) {
        size_t n = p->piece[k + 1].node - p->piece[k].node;
        most = n > most ? n : most;
    }
    return most;
}

/* One piece of memory for all: large pages where there is much of it, and every lane in one line of the
 * cache. */
int pofi_se_lanes_new(const struct se_plan *p, struct eval_lanes *l, int width, struct pof_err *err)
{
    enum { LINE = 64 / sizeof(double) };
    const struct eval_piece *last = &p->piece[p->pieces - 1];
    const struct {
        double **at;
        size_t n;
    } need[] = {{&l->v, 2 * (size_t)p->nodes},
                {&l->vm, p->nodes},
                {&l->x, 2 * (size_t)p->potentials},
                {&l->z, p->rows},
                {&l->lambda, p->exacts},
                {&l->rhs, p->unknowns},
                {&l->top, p->unknowns - 2 * (size_t)last->block},
                {&l->near, 2 * longest_piece(p)},
                {&l->far, 2 * (size_t)(p->nodes - last->node)},
                {&l->r, width == 1 ? p->rows : 0},
                {&l->sums, EVAL_SUMS},
                {&l->going, 1},
                {&l->w, p->rows}};
    size_t total = LINE;
    for (size_t i = 0; i < sizeof need / sizeof need[0]; i++) {
        total += (need[i].n * (size_t)width + LINE - 1) / LINE * LINE;
    }
    int rc = pof_calloc(&l->store, total, sizeof *l->store, err);
    double *next = rc ? NULL : l->store + (LINE - (uintptr_t)l->store / sizeof(double) % LINE) % LINE;
    for (size_t i = 0; rc == 0 && i < sizeof need / sizeof need[0]; i++) {
        *need[i].at = next;
        next += (need[i].n * (size_t)width + LINE - 1) / LINE * LINE;
    }
    for (int k = 0; rc == 0 && k < width; k++) {
        l->going[k] = 1;
    }
    return rc;
}

void pofi_se_lanes_free(struct eval_lanes *l)
{
    free(l->store);
    *l = (struct eval_lanes){0};
}
