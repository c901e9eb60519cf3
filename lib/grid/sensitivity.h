/* SPDX-License-Identifier: Apache-2.0 */
/* How a little more consumption at any node moves what is watched.
 *
 * With x the angles and voltages of a solved power flow, f(x) + s = 0 its balances and w(x) what is
 * watched,
 *
 *     dw/ds = -grad w' J^-1,    J = df/dx,
 *
 * so one solve with the transposed factors of the power flow's Jacobian gives the whole row: every
 * node's effect on one quantity (J. Peschon, D. S. Piercy, W. F. Tinney, O. J. Tveit, "Sensitivity in
 * power systems", IEEE Trans. PAS 87(8), 1968). Exact derivatives of that state: slack nodes balance,
 * PV nodes hold their voltage unless they stand at a reactive limit, constant-current loads follow
 * the voltage. Balanced grids.
 *
 * Units are those of readings: V line to line, A, W, var, each for 1 W or 1 var more consumption. */
#ifndef POF_GRID_SENSITIVITY_H
#define POF_GRID_SENSITIVITY_H

#include "grid/grid.h"

/* The order of the words of the record type `sensitivity`. */
enum pof_watch {
    POF_WATCH_V,       /* voltage of a node */
    POF_WATCH_I,       /* magnitude of the current at an end of a branch */
    POF_WATCH_P,       /* active power into a branch at an end */
    POF_WATCH_Q,       /* reactive power, the same */
    POF_WATCH_LOSS,    /* active losses of all branches together */
    POF_WATCH_SLACK_P, /* active power that slack nodes generate together, a distributed one with all
                          its shares */
    POF_WATCH_SLACK_Q  /* reactive power, the same */
};

struct pof_watched {
    enum pof_watch what;
    uint32_t element; /* node or branch; not looked at for losses and slack */
    bool to;          /* branch: its to end */
};

/* A converged state, as pof_pf_result gives it. */
struct pof_sens_state {
    const double *v_pu;  /* [nodes] */
    const double *angle; /* [nodes] rad */
    const int8_t *limit; /* [nodes] not 0: a PV node at a reactive limit; NULL: none is */
};

struct pof_sens; /* opaque; used by one thread at a time */

/* Network and ordering, once. The grid must outlive it and must not change. Errors of
 * pof_net_build. O(n) and an ordering. */
int pof_sens_new(struct pof_sens **out, const struct pof_grid *grid, struct pof_err *err) POF_CHECKED;

/* The same where slack_share of nodes says who balances (distributed_slack of powerflow.h): slack_p is
 * all that is shared then. */
int pof_sens_new_distributed(struct pof_sens **out, const struct pof_grid *grid,
                             struct pof_err *err) POF_CHECKED;

/* Factors at a state. regular is false, an answer, where the state is at the edge of what the grid
 * can carry and no derivative exists. One factorisation of 2 buses unknowns. */
int pof_sens_at(struct pof_sens *s, const struct pof_sens_state *state, bool *regular,
                struct pof_err *err) POF_CHECKED;

/* by_w[i], by_var[i] [nodes]: the change of what is watched for more consumption at node i; 0 where
 * nothing is fed, and by_var where a voltage is held. After a regular pof_sens_at. POF_E_RANGE: an
 * element that is not there; POF_E_PHYSICS: a flow through a closed switch without impedance, which
 * no voltage determines. A current of 0 has no derivative: all are 0. One solve, O(factors). */
int pof_sens_row(struct pof_sens *s, const struct pof_watched *watched, double *by_w, double *by_var,
                 struct pof_err *err) POF_CHECKED;

void pof_sens_free(struct pof_sens *s);

#endif
