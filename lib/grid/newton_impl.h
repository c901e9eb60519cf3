/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of Newton's method share. */
#ifndef POF_GRID_NEWTON_IMPL_H
#define POF_GRID_NEWTON_IMPL_H

#include "grid/solver.h"

/* What is held at a node. LIMITED: a pv node with reactive limits that are kept: its voltage is an
 * unknown and its reactive balance an equation, of which one is put out of force. */
enum pofi_kind { POFI_PQ, POFI_PV, POFI_LIMITED, POFI_SLACK };

struct pofi_hold {
    uint8_t kind;        /* enum pofi_kind */
    double v_set;
    double q_min, q_max; /* of what it generates, p.u. */
};

struct pofi_newton {
    const struct pof_net *net;
    struct pofi_hold *hold; /* [nodes] */
    int8_t *at_limit;       /* [nodes] LIMITED: 0 voltage held, -1, 1 at a limit */
    uint8_t *returns;       /* [nodes] how often it came back from a limit */
    uint32_t limited;       /* how many are LIMITED */
    uint32_t kept;          /* of the last case: at a limit that their voltage does not ask for */
    double *share;          /* [nodes] of the slack; NULL: not distributed */
    uint32_t lambdas;       /* unknown slack powers, one for each island */
    double *lambda;
    int32_t *lambda_of;     /* [nodes] number of the slack power; NULL: not distributed */
    /* Equations: rows P and Q; unknowns: columns angle, ln V; -1: none. lambdas come last. */
    int32_t *row_p, *row_q, *col_a, *col_v; /* [nodes] */
    int32_t unknowns;
    /* Four slots for each entry of the bus rows (P by angle, P by V, Q by angle, Q by V); -1: none. */
    int32_t *slot, *share_slot;
    struct pof_csc jacobian;
    struct pof_lu *lu;      /* NULL when nothing is unknown */
    bool canonical;         /* kept pivots are those chosen at the flat start */
    /* State. */
    double *v, *a, *re, *im;
    double *p, *q;          /* what leaves a node into the network */
    double *fp, *fq;        /* mismatches */
    double *step;           /* right-hand side and step */
    double *v0, *a0, *lambda0; /* where a step began */
};

/* Mismatches of the present state: the largest into c, with its place; returns half their sum of
 * squares, INFINITY when some are no numbers. */
double pofi_newton_mismatch(struct pofi_newton *n, struct pofi_case *c);
/* Jacobian at the present state, after pofi_newton_mismatch. */
void pofi_newton_linearise(struct pofi_newton *n, const struct pofi_load *load);
/* Angles from one linear solve of the active powers at the present voltages (a DC power flow). */
int pofi_newton_dc(struct pofi_newton *n, struct pofi_case *c, struct pof_err *err) POF_CHECKED;

/* How sets of limits are searched, see newton_limits.c; in the order they are tried. */
enum pofi_policy { POFI_BLOCK, POFI_WORST, POFI_ONE_WAY, POFI_POLICIES };
struct pofi_switching {
    enum pofi_policy policy;
    uint32_t rounds;   /* that changed something */
    uint32_t fewest;   /* BLOCK: nodes on the wrong side, the fewest so far */
    int patience;
    uint32_t kept;     /* at the end: nodes that stay on the wrong side */
    bool endless;      /* too many rounds */
};
/* Lets pv nodes go to and come back from their limits, in a solved state; false: none does any more,
 * or it is endless. O(nodes). */
bool pofi_newton_switch(struct pofi_newton *n, const struct pofi_case *c, struct pofi_switching *s);

#endif
