/* SPDX-License-Identifier: Apache-2.0 */
/* Power flows of many scenarios of one grid.
 *
 * Where sweeps solve, several scenarios go through one pass side by side (in vector registers where
 * the processor has AVX2); a result is the same to the last bit as that of pof_pf_solve, cold, and
 * as with any number of threads. */
#ifndef POF_GRID_BATCH_H
#define POF_GRID_BATCH_H

#include "grid/shunt_control.h"

/* A solved case; result lives as long as the call it is handed to. */
struct pof_solved {
    uint32_t i; /* its number */
    enum pof_pf_status status;
    struct pof_pf_result result;
    const struct pof_tap_report *taps; /* NULL: taps are not controlled */
    const struct pof_shunt_report *shunts; /* NULL: switched shunts are not */
};

/* What is done with a case, in order of the cases. */
struct pof_case_taker {
    int (*take)(void *ctx, const struct pof_solved *solved, struct pof_err *err);
    void *ctx;
};

struct pof_batch {
    uint32_t n;
    const double *p_w, *q_var; /* [n * nodes] consumption beside the grid's fixed one; NULL: none */
    bool voltages_only;        /* of results only v_pu and angle, other arrays are NULL */
    bool plain;                /* without instructions beyond the baseline (for tests) */
    unsigned threads;          /* 0, 1: the calling one */
    struct pof_pf *pf;         /* an engine of this grid and these options that the first thread may
                                  use, with no meaning left of its last case; NULL: one is made */
};

/* Errors as pof_pf_new, and what take returns, which ends the batch. Memory: an engine and a few
 * dozen results for each thread. */
int pof_batch_run(const struct pof_grid *grid, const struct pof_pf_options *options,
                  const struct pof_batch *batch, const struct pof_case_taker *taker,
                  struct pof_err *err) POF_CHECKED;

#endif
