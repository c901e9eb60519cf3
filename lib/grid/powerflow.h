/* SPDX-License-Identifier: Apache-2.0 */
/* Balanced AC power flow.
 *
 * One engine for a grid: made once, it keeps ordering and symbolic factorisation, and solves any
 * number of load cases. Radial grids whose only controlled voltage is the slack are solved by
 * backward/forward sweep (D. Shirmohammadi et al., IEEE Trans. Power Systems 3(2), 1988), all others
 * by Newton's method on polar mismatches (W. Tinney, C. Hart, IEEE Trans. PAS 86(11), 1967) with KLU
 * (T. Davis, E. Palamadai Natarajan, ACM TOMS 37(3), 2010). AUTO chooses so, and tries Newton's
 * method where a sweep does not converge. Reactive limits of pv nodes are not modelled. An engine is
 * used by one thread at a time; several engines may share a grid, which must live as long. */
#ifndef POF_GRID_POWERFLOW_H
#define POF_GRID_POWERFLOW_H

#include "grid/grid.h"

enum pof_pf_method { POF_PF_AUTO, POF_PF_SWEEP, POF_PF_NEWTON };
enum pof_pf_status { POF_PF_CONVERGED, POF_PF_DIVERGED };

struct pof_pf_options {
    enum pof_pf_method method;
    double tolerance; /* largest mismatch, p.u. of base_va; 0: 1e-8 */
    int max_iterations; /* 0: 100 for sweeps, 30 for Newton */
};

struct pof_pf; /* opaque engine */

/* POF_E_TOPOLOGY when SWEEP is asked for and the grid is not radial, or controls a pv node. Options
 * may be NULL. O(n) for sweeps, the cost of an ordering otherwise. */
int pof_pf_new(struct pof_pf **out, const struct pof_grid *grid,
               const struct pof_pf_options *options, struct pof_err *err) POF_CHECKED;

/* The method in use: never AUTO. */
enum pof_pf_method pof_pf_method(const struct pof_pf *pf);

/* One load case. p_w[i], q_var[i]: consumption at node i that is added to the grid's fixed one, may
 * be NULL for none. start: flat when the last case diverged or was the first, else its solution
 * unless cold is true (cold makes results independent of earlier cases to the last bit). */
int pof_pf_solve(struct pof_pf *pf, const double *p_w, const double *q_var, bool cold,
                 enum pof_pf_status *status, struct pof_err *err) POF_CHECKED;

/* Results of the last case; arrays owned by the engine, valid until the next call. Nodes that are
 * not connected to the slack have v = 0. */
struct pof_pf_result {
    const double *v_pu;     /* [nodes] */
    const double *angle;    /* [nodes] rad */
    const double *p_from_w, *q_from_var, *p_to_w, *q_to_var; /* [branches] into the branch */
    const double *i_from_a, *i_to_a;                         /* [branches] A, each at its own level */
    const double *loading;  /* [branches] larger end's apparent current over rating; 0: no rating */
    const double *p_w, *q_var; /* [nodes] net consumption, shunts not counted: what was given, less
                                  what slack and pv nodes generate; 0 where v = 0 */
    double slack_p_w, slack_q_var; /* generation of the slack nodes together */
    int iterations;
    double mismatch_pu;
};
void pof_pf_result(const struct pof_pf *pf, struct pof_pf_result *result);

void pof_pf_free(struct pof_pf *pf);

#endif
