/* SPDX-License-Identifier: Apache-2.0 */
/* AC power flow, balanced or of three phases.
 *
 * One engine for a grid: made once, it keeps ordering and symbolic factorisation, and solves any
 * number of load cases. Balanced grids without meshes whose only controlled voltages are those of
 * slack nodes are solved by a sweep that sums up powers (M. E. Baran, F. F. Wu, IEEE Trans. Power
 * Delivery 4(1), 1989; R. Cespedes, IEEE Trans. Power Delivery 5(1), 1990), all others by Newton's
 * method on polar mismatches (W. Tinney, C. Hart, IEEE Trans. PAS 86(11), 1967) with KLU (T. Davis,
 * E. Palamadai Natarajan, ACM TOMS 37(3), 2010) and shortened steps. AUTO chooses so, and tries
 * Newton's method where a sweep does not converge. Closed switches without impedance join their
 * nodes; flows through them follow from the balance of their ends. An engine is used by one thread
 * at a time; several engines may share a grid, which must live as long. */
#ifndef POF_GRID_POWERFLOW_H
#define POF_GRID_POWERFLOW_H

#include "grid/grid.h"

enum pof_pf_method {
    POF_PF_AUTO,
    POF_PF_SWEEP,
    POF_PF_NEWTON,
    POF_PF_LINEAR,         /* one linear solve, all consumption as admittances (an approximation) */
    POF_PF_LINEAR_CURRENT, /* one linear solve, all consumption as its currents without flows */
    POF_PF_CURRENT         /* repeated linear solves with the currents of the last voltages */
};
enum pof_pf_start {
    POF_PF_START_AUTO,  /* LINEAR without pv nodes; else FLAT, and where that fails DC */
    POF_PF_START_FLAT,  /* the voltages when nothing flows */
    POF_PF_START_DC,    /* angles from one linear solve of active powers */
    POF_PF_START_LINEAR, /* one linear solve, all consumption as admittances: near the point of
                            collapse it leads to the higher of both solutions; no pv nodes */
    POF_PF_START_STORED /* the voltages that the grid has stored, flat where it has none */
};
enum pof_pf_status { POF_PF_CONVERGED, POF_PF_DIVERGED };

struct pof_pf_options {
    enum pof_pf_method method;
    enum pof_pf_start start; /* of Newton's method */
    double tolerance;        /* largest mismatch, p.u. of base_va; 0: 1e-8. Newton's method takes no
                                less than what rounding leaves: 1e-15 times the largest admittance */
    int max_iterations;      /* 0: 100, Newton 50; with reactive limits for each set of them */
    uint32_t phases;         /* 0, 1: balanced; 3: each phase for itself */
    bool q_limits;           /* pv nodes keep to their limits, where they have some */
    bool distributed_slack;  /* what the balance needs is shared by slack_share; an island without
                                shares leaves it to its slack node */
};

struct pof_pf; /* opaque engine */

/* POF_E_TOPOLOGY: SWEEP is asked for and the grid has meshes, controls a pv node, or has three
 * phases; a linear method and a pv node; what pof_net_build refuses; pv nodes of different voltage
 * joined by switches; a distributed slack with several slack nodes in an island. POF_E_RANGE: a lower
 * reactive limit above the upper. Options may be NULL. O(n) for sweeps, the cost of an ordering
 * otherwise. */
int pof_pf_new(struct pof_pf **out, const struct pof_grid *grid,
               const struct pof_pf_options *options, struct pof_err *err) POF_CHECKED;

/* The method in use: never AUTO. */
enum pof_pf_method pof_pf_method(const struct pof_pf *pf);

/* Takes over impedances and ratios that have changed in the grid since the engine was made; its
 * topology, nodes and loads must be the same. O(n). */
int pof_pf_renew(struct pof_pf *pf, struct pof_err *err) POF_CHECKED;

/* One load case. p_w[i], q_var[i]: consumption at node i that is added to the grid's fixed one, may
 * be NULL for none. start: as the options say when the last case diverged or was the first, else its
 * solution unless cold is true (cold makes results independent of earlier cases to the last bit). */
int pof_pf_solve(struct pof_pf *pf, const double *p_w, const double *q_var, bool cold,
                 enum pof_pf_status *status, struct pof_err *err) POF_CHECKED;

/* Results of the last case; arrays owned by the engine, valid until the next call. Arrays have one
 * element for each node or branch, with three phases three: phase f of element i is at [3 * i + f],
 * voltages against ground, powers of that phase. Nodes that are not connected to the slack have
 * v = 0. Of a case that diverged: the state of least mismatch, or zeros when a sweep was asked for. */
struct pof_pf_result {
    uint32_t phases;        /* 1 or 3 */
    uint32_t floating;      /* parts of the network without a way to ground in the zero sequence
                               (POF_STRAY_CAPACITANCE in net.h) */
    const double *v_pu;     /* [nodes] */
    const double *angle;    /* [nodes] rad, -pi < angle <= pi */
    const double *p_from_w, *q_from_var, *p_to_w, *q_to_var; /* [branches] into the branch */
    const double *i_from_a, *i_to_a;                         /* [branches] A, each at its own level */
    const double *loading;  /* [branches] larger end's apparent current over rating; 0: no rating */
    const double *p_w, *q_var; /* [nodes] net consumption, shunts not counted: what was given, less
                                  what slack and pv nodes generate; 0 where v = 0 */
    const int8_t *limit;    /* [nodes] 1: a pv node at its upper reactive limit, -1: at its lower */
    uint32_t limits_kept;   /* of them: at a limit that the voltage does not ask for (above its set
                               value at the upper, below at the lower), because no set of limits
                               was found that fits all */
    double slack_p_w, slack_q_var; /* generation of the slack nodes together, a distributed slack
                                      with all its shares */
    int iterations;
    double mismatch_pu;     /* largest */
    uint32_t worst_node;    /* where it is, */
    uint32_t worst_phase;
    bool worst_is_q;        /* of reactive power */
    const char *why;        /* why it diverged, a clause; "" when it converged */
};
void pof_pf_result(const struct pof_pf *pf, struct pof_pf_result *result);

void pof_pf_free(struct pof_pf *pf);

#endif
