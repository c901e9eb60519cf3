/* SPDX-License-Identifier: Apache-2.0 */
/* The two solvers behind powerflow.h. Both work in p.u. of base_va and on rectangular results. */
#ifndef POF_GRID_SOLVER_H
#define POF_GRID_SOLVER_H

#include "grid/admittance.h"
#include "grid/sparse.h"

/* One load case, and what came of it. */
struct pofi_case {
    const double *p, *q; /* [nodes] consumption, p.u. */
    double tolerance;    /* of the largest mismatch, p.u. */
    int max_iterations;
    bool cold; /* from a flat start */
    /* Results. v stays as it was when the case does not converge. */
    double *vr, *vi; /* [nodes] complex voltages, p.u.; 0 where nothing is fed */
    bool converged;
    int iterations;
    double mismatch; /* largest, p.u. */
};

/* Backward/forward sweep. POF_E_TOPOLOGY: not radial, or a pv node is fed. */
struct pofi_sweep;
int pofi_sweep_new(struct pofi_sweep **out, const struct pof_grid *grid,
                   struct pof_err *err) POF_CHECKED;
/* No allocation; O(nodes) an iteration. */
void pofi_sweep_solve(struct pofi_sweep *s, struct pofi_case *c);
void pofi_sweep_free(struct pofi_sweep *s);

/* Newton's method. Unknowns are numbered: the angle of each fed node that is not slack, then the
 * voltage of each fed pq node. */
struct pofi_newton;
int pofi_newton_new(struct pofi_newton **out, const struct pof_grid *grid,
                    struct pof_err *err) POF_CHECKED;
int pofi_newton_solve(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err) POF_CHECKED;
void pofi_newton_free(struct pofi_newton *n);

/* Which nodes closed branches join to a slack node, and the angle (rad) each has when nothing flows:
 * that of its slack node, shifted by the transformers on the way. Both have grid->nodes elements.
 * O(n). */
int pofi_flat_start(const struct pof_grid *grid, bool *fed, double *angle,
                    struct pof_err *err) POF_CHECKED;

#endif
