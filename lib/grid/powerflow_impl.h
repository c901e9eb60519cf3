/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the power flow engine share. */
#ifndef POF_GRID_POWERFLOW_IMPL_H
#define POF_GRID_POWERFLOW_IMPL_H

#include "grid/powerflow.h"
#include "grid/solver.h"

struct pof_pf {
    const struct pof_grid *grid;
    struct pof_pf_options options;
    struct pof_net net;
    bool inner;                 /* the net is another engine's, and voltages are all that is wanted */
    struct pofi_plan *plan;     /* NULL: no sweep */
    struct pofi_lanes *lanes;   /* one */
    struct pofi_newton *newton; /* NULL: not needed yet */
    struct pofi_linear *linear; /* NULL: not asked for */
    struct pofi_linear *first;  /* of a linear start; NULL: not needed */
    bool pv;                    /* pv nodes are fed */
    struct pofi_load *fixed, *load; /* [net nodes] of the grid; of the case, p.u. */
    double *share;              /* [grid nodes] of a distributed slack, 0 .. 1; NULL: not wanted */
    double *v, *a, *re, *im;    /* [net nodes] voltages, and the same as real and imaginary parts */
    bool warm;                  /* v, a hold a solution */
    bool known;                 /* v, a hold a state */
    uint32_t *holds;            /* [buses] grid node that generation is booked on; POF_NONE */
    bool limited;               /* reactive limits are kept */
    bool couplers;              /* there are ideal switches */
    /* Results, [grid nodes] and [branches] times phases. */
    double *store;
    double *v_pu, *angle, *p_w, *q_var;
    double *p_from, *q_from, *p_to, *q_to, *i_from, *i_to, *loading;
    double *out_p, *out_q, *out_flow; /* scratch of flows through ideal switches */
    int8_t *limit;              /* [grid nodes] */
    double slack_p, slack_q;
    int iterations;
    double mismatch;
    uint32_t worst_node, worst_phase;
    bool worst_is_q;
    const char *why;
};

/* Results of the state pf->v, pf->a; p_w, q_var as given to pof_pf_solve. */
int pofi_pf_results(struct pof_pf *pf, const double *p_w, const double *q_var,
                    struct pof_err *err) POF_CHECKED;
/* Finds pf->holds. */
void pofi_pf_holders(struct pof_pf *pf);

/* An engine within another one that has a net, which must outlive it: no results but voltages, by any
 * method, of the plain options. */
int pofi_pf_new_inner(struct pof_pf **out, const struct pof_net *net, struct pof_err *err) POF_CHECKED;
/* Voltages of the nodes of the net, from no-load on; p_w, q_var: [grid nodes * phases] of each phase,
 * beside the fixed consumption. NULL when the power flow does not converge. */
int pofi_pf_voltages(struct pof_pf *pf, const double *p_w, const double *q_var, const double **v,
                     const double **angle, struct pof_err *err) POF_CHECKED;

/* For batches: limits of a sweep from the options; what is said of a lane that converged. */
void pofi_pf_limits(const struct pof_pf *pf, struct pofi_sweep *s);
void pofi_pf_swept(struct pof_pf *pf, const struct pofi_sweep *s, unsigned lane);

#endif
