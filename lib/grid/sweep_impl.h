/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the sweep share. */
#ifndef POF_GRID_SWEEP_IMPL_H
#define POF_GRID_SWEEP_IMPL_H

#include "grid/solver.h"

/* A bus and the branch to its parent, everything referred to the slack: with T the complex ratio of
 * all transformers between the two, V = T V~ and I = I~ / conj(T) leave powers as they are,
 * impedances become z / |T|^2, admittances y |T|^2, and the transformers vanish. */
struct pofi_place {
    double r, x;           /* series impedance to the parent; 0 of a root */
    double g, b;           /* all shunts at the bus */
    float z, y;            /* magnitudes of both, of which a bound is made */
    uint32_t parent;       /* of a root: itself */
    uint32_t depth;        /* 0: a root */
};

/* Consumption that grows with |V~|. */
struct pofi_current {
    double ip, iq;
};

struct pofi_plan {
    const struct pof_net *net;
    uint32_t n, depths;        /* places; levels of the deepest tree */
    struct pofi_place *place;  /* depth first: parents first, subtrees without gaps */
    struct pofi_current *current; /* [n]; NULL: all 0 */
    uint32_t *bus;             /* [n] */
    double *start;             /* [n] |V~|^2 of the root above */
    double *ratio, *shift;     /* [n] |T|; angle of T and of the root */
    double *p, *q;             /* [n] fixed consumption, p.u. */
    uint32_t *begin, *member;  /* grid nodes of place k: member[begin[k]] .. member[begin[k + 1]] */
    double per_va;             /* 1 / base */
};

/* What is given at a place: p, q. What changes while iterating: u = |V~|^2, d = how much u falls on the
 * branch to the parent, t = what of a change of the parent's u reaches the place. After the last tour t
 * is not needed, and Im(z conj(S)) of the branch takes its place; what is known in the end, |V~| and the
 * angle against the root, that of d and t. */
enum { POFI_P, POFI_Q, POFI_LOAD };
enum { POFI_U, POFI_D, POFI_T, POFI_MOVING, POFI_ACROSS = POFI_T, POFI_END_V = POFI_D, POFI_END_A = POFI_T };

/* Sums of what hangs below a place: P, Q, their changes with its u, and how much of the balance of the
 * place the losses move. */
enum { POFI_SUM_P, POFI_SUM_Q, POFI_SUM_P_U, POFI_SUM_Q_U, POFI_WEIGHT, POFI_SUMS };

/* Voltages in a tour: as they are, as nothing consumed gives them (and what is given is loaded), the next
 * step. */
enum pofi_way { POFI_STAY, POFI_START, POFI_MOVE };

enum { POFI_LINE = 64, POFI_AHEAD = 8 }; /* bytes of a line of the cache; places fetched ahead */

/* Lanes of one register: lanes are one, or a multiple of it. */
enum { POFI_REGISTER = 4 };

struct pofi_lanes {
    const struct pofi_plan *plan;
    unsigned lanes;
    double *given, *moving;  /* [n][POFI_LOAD or POFI_MOVING][lanes], aligned for vectors */
    const double *p_w[POFI_LANES], *q_var[POFI_LANES]; /* what is to be loaded */
    double *sum;             /* [depths + 1][POFI_SUMS][lanes]: what hangs below the present way down */
    double *step;            /* [lanes] largest change of u */
    double ratio[POFI_LANES]; /* of the last step to the one before */
    double *weight;          /* [lanes] largest change of a node's balance with a change of u */
    int64_t *active;         /* [lanes] -1: still moving, 0: at rest */
    int64_t *sound;          /* [lanes] -1: all u are positive numbers */
    uint32_t *path;          /* [depths] the present way down */
    void *store;
};

/* The passes, in as many versions as there are widths. */
struct pofi_passes {
    void (*load)(struct pofi_lanes *w);
    /* Voltages, then powers. end: POFI_ACROSS instead of POFI_T. */
    void (*tour)(struct pofi_lanes *w, enum pofi_way way, bool end);
    /* After such a tour: voltages of nodes where they are wanted, or POFI_END_V and POFI_END_A. */
    void (*finish)(struct pofi_lanes *w, const struct pofi_sweep *s);
};
const struct pofi_passes *pofi_passes(unsigned lanes, bool plain);

#endif
