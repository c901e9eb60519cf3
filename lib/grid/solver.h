/* SPDX-License-Identifier: Apache-2.0 */
/* The solvers behind powerflow.h. All work on a network (grid/net.h), in its p.u., and answer in
 * polar voltages of its nodes. */
#ifndef POF_GRID_SOLVER_H
#define POF_GRID_SOLVER_H

#include "grid/net.h"
#include "grid/sparse.h"

#include <math.h>

/* What is consumed at a node: p + ip v, q + iq v; p.u. */
struct pofi_load {
    double p, q, ip, iq;
};

/* The part of a grid's fixed consumption that falls to a node of the network; the given p and q of
 * a case come on top. O(members of the bus). */
void pofi_fixed_loads(const struct pof_net *net, struct pofi_load *load);
/* What rounding leaves of a sum of currents at the node with the largest admittances, of nodes whose
 * voltage is unknown (unknown[node] >= 0): no mismatch below it means anything. O(entries). */
double pofi_rounding(const struct pof_net *net, const int32_t *unknown);

/* The same angle in (-pi, pi]. */
static inline double pofi_wrap(double a)
{
    const double pi = 3.14159265358979323846;
    return a > pi || a <= -pi ? remainder(a, 2 * pi) : a;
}

/* --- sweep --- */

/* Power flow of balanced grids without meshes by summing up powers towards the slack nodes and
 * voltages away from them; the plan is one grid's, used by any number of threads. */
struct pofi_plan;
/* POF_E_TOPOLOGY: a mesh, a pv node that is fed, three phases. O(nodes + branches). */
int pofi_plan_new(struct pofi_plan **out, const struct pof_net *net, struct pof_err *err) POF_CHECKED;
void pofi_plan_free(struct pofi_plan *plan);

/* Several cases at once, one in each lane; a lane's result does not depend on what the others hold
 * nor on their number, to the last bit. Arrays of cases hold lane l of place k at [k * lanes + l];
 * places are those of the plan. */
struct pofi_lanes;
enum { POFI_LANES = 8 }; /* most */
/* lanes: 1, 4 or POFI_LANES. */
int pofi_lanes_new(struct pofi_lanes **out, const struct pofi_plan *plan, unsigned lanes,
                   struct pof_err *err) POF_CHECKED;
void pofi_lanes_free(struct pofi_lanes *w);

/* How to solve, and what came of it for each lane. */
struct pofi_sweep {
    double tolerance;
    int max_iterations;
    bool warm; /* from the state that the last cases of these lanes left */
    bool plain; /* without instructions beyond the baseline (the same bits; for tests) */
    /* Where voltages of the first `wanted` lanes go, [nodes] of the grid, angles wrapped to (-pi, pi]; what
     * is not fed is left as it is. 0: pofi_lanes_bus is asked for them. */
    unsigned wanted;
    double *v[POFI_LANES], *angle[POFI_LANES];
    bool converged[POFI_LANES];
    int iterations[POFI_LANES];
    double mismatch[POFI_LANES];
};

/* The consumption of each lane l from that of the grid's nodes, p_w[l][node] W and var (all NULL: none),
 * beside the fixed one. Needed before each solve, which reads it. */
void pofi_lanes_load(struct pofi_lanes *w, const double *const *p_w, const double *const *q_var);
/* No allocation; O(buses) an iteration. */
void pofi_lanes_solve(struct pofi_lanes *w, struct pofi_sweep *s);
/* Voltages of one lane for the buses of the network, where none were wanted. A lane that did not
 * converge has no numbers to be relied on. */
void pofi_lanes_bus(const struct pofi_lanes *w, unsigned lane, double *v, double *angle);

/* --- Newton's method --- */

/* Why an iteration ended without a solution. */
enum pofi_why {
    POFI_SOLVED,
    POFI_TOO_LONG, /* max_iterations */
    POFI_SINGULAR, /* the equations determine no step */
    POFI_STUCK,    /* no length of the step makes mismatches smaller */
    POFI_CYCLES    /* sets of reactive limits follow each other without end */
};

enum pofi_start { POFI_FLAT, POFI_DC, POFI_GIVEN };

/* One load case, and what came of it. */
struct pofi_case {
    const struct pofi_load *load; /* [nodes] of the network, p.u. */
    double tolerance;             /* of the largest mismatch, p.u. */
    int max_iterations;
    enum pofi_start start;        /* GIVEN: from v and angle */
    double *v, *angle;            /* [nodes] the solution, or else the state of least mismatch */
    enum pofi_why why;
    int iterations;
    double mismatch;              /* largest, p.u. */
    uint32_t worst;               /* node where it is */
    bool worst_is_q;
};

struct pofi_newton_options {
    bool q_limits;    /* pv nodes keep to their reactive limits */
    bool distributed; /* slack_share */
};

/* Any number of phases; used by one thread at a time. POF_E_TOPOLOGY: pv nodes of different voltage
 * in one bus; with distributed, several slack nodes in an island, or shares that add up to nothing.
 * POF_E_RANGE: a lower limit above the upper one. */
struct pofi_newton;
int pofi_newton_new(struct pofi_newton **out, const struct pof_net *net,
                    const struct pofi_newton_options *options, struct pof_err *err) POF_CHECKED;
/* Results depend on the case alone, not on earlier ones. */
int pofi_newton_solve(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err) POF_CHECKED;
/* The net has other values in the same forms (a tap has moved). */
void pofi_newton_renew(struct pofi_newton *n);
/* [nodes] of the last case: -1 at its lower reactive limit, 1 at the upper, 0 otherwise. */
const int8_t *pofi_newton_limits(const struct pofi_newton *n);
/* How many nodes of the last case are at a limit that their voltage does not ask for, because no set
 * of limits was found that fits all. */
uint32_t pofi_newton_kept(const struct pofi_newton *n);
void pofi_newton_free(struct pofi_newton *n);

/* --- linear solves --- */

/* Solves with the factors of the admittances alone. loads_in: all consumption is taken as admittances
 * of the same power at 1 p.u. POF_E_TOPOLOGY: a pv node is fed. */
struct pofi_linear;
int pofi_linear_new(struct pofi_linear **out, const struct pof_net *net, bool loads_in,
                    struct pof_err *err) POF_CHECKED;
/* repeat: until mismatches are small; otherwise one solve is the answer, whatever its mismatch. */
int pofi_linear_solve(struct pofi_linear *l, struct pofi_case *c, bool repeat,
                      struct pof_err *err) POF_CHECKED;
void pofi_linear_free(struct pofi_linear *l);

/* --- ways --- */

/* Which nodes closed branches join to a slack node, and the angle (rad) each has when nothing flows:
 * that of its slack node, shifted by the transformers on the way. Both have grid->nodes elements.
 * O(n). */
int pofi_flat_start(const struct pof_grid *grid, bool *fed, double *angle,
                    struct pof_err *err) POF_CHECKED;

#endif
