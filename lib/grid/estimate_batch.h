/* SPDX-License-Identifier: Apache-2.0 */
/* Many estimates of one pattern: the same quantities read, other values.
 *
 * The first case is estimated by itself, unless one before it of the same batch fails; its state and
 * the factors there are the base. All cases, the first too, begin at the base and go by its factors
 * and exact gradients, four side by side in the registers of one thread, on any number of threads.
 * So a case's result depends on the base and on the case, to the last bit, and neither on threads nor
 * on what is computed beside it. A case that the factors of the base do not lead to its end soon is
 * estimated by itself (pof_se_solve). */
#ifndef POF_GRID_ESTIMATE_BATCH_H
#define POF_GRID_ESTIMATE_BATCH_H

#include "grid/estimate.h"

struct pof_se_batch {
    const struct pof_observation *observation; /* [n] what is read; values of the base */
    size_t n;
    size_t cases;
    const double *value;  /* [cases * n] in the units of the observations */
    const double *sigma;  /* [cases * n]; NULL: those of the observations. What is exact stays so */
    unsigned threads;     /* 0, 1: the calling one */
    bool one_lane;        /* no lanes: the same bits, slower */
    bool continued;       /* the engine's base, if it has one of this pattern, is the base */
    /* Results, arrays of the caller; NULL: not wanted. */
    double *v_pu, *angle; /* [cases * nodes] as in pof_se_result; where not converged, the last state
                             of the estimate by itself */
    double *objective;    /* [cases] */
    int *iterations;      /* [cases] */
    enum pof_se_status *status; /* [cases] */
    size_t alone;         /* out: cases estimated by themselves */
};

/* The engine is left with the base, or with the last case estimated by itself: call pof_se_adopt for
 * the rest of a result. Unobservable is the answer of all cases. */
int pof_se_batch(struct pof_se *se, struct pof_se_batch *batch, struct pof_err *err) POF_CHECKED;

/* Makes a converged state that pof_se_batch gave for these observations the engine's: then
 * pof_se_result, pof_se_check and pof_se_leave_out are those of the case. v_pu, angle: [nodes]. */
int pof_se_adopt(struct pof_se *se, const struct pof_observation *observations, size_t n,
                 const double *v_pu, const double *angle, int iterations,
                 struct pof_err *err) POF_CHECKED;

#endif
