/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse symmetric quasi-definite systems: factors L D L' in an order that is chosen once.
 *
 *     [ A   C' ]
 *     [ C  -B  ]   with A, B positive definite
 *
 * has such factors without pivoting in any order (R. Vanderbei, SIAM J. Optimization 5(1), 1995).
 * Unknowns come in blocks of two, 2k and 2k + 1: angle and magnitude of a node, the multipliers of
 * its P and Q. Pattern, ordering and elimination tree (J. Liu, SIAM J. Matrix Analysis 11(1), 1990)
 * are made once, numeric factors row by row (T. Davis, Direct Methods for Sparse Linear Systems,
 * 2006, chapter 4, on blocks) any number of times. Solves take one right-hand side, or four side by
 * side with the same bits for each. The elements of the inverse on the pattern of the factors come
 * by the recursion of K. Takahashi et al. (PICA 1973).
 *
 * A pivot of which rounding left nothing (below 1e-14 of what was added up to it), or of the wrong
 * sign, is taken as infinite: its unknown stays as it is. Results depend on pattern and values only.
 * One factor object is written by one thread at a time; once factored any number may solve. */
#ifndef POF_GRID_LDL_H
#define POF_GRID_LDL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pof_ldl;

enum { POF_LDL_LANES = 4 };

/* Where blocks are. */
struct pof_ldl_places {
    uint32_t blocks;
    const uint32_t *row, *col; /* [n] either triangle, any number of times; diagonals need not be */
    size_t n;
    const uint32_t *tie;       /* [blocks] block right behind which it is eliminated, itself: free;
                                  NULL: all are free */
    const bool *negative;      /* [2 * blocks] unknowns of the part -B; NULL: none */
    const bool *last;          /* [blocks] wanted in the last piece (pof_ldl_pieces); NULL: none */
};

/* slot[k] becomes the place of block (row, col) among the values: element (i, j) of it is added at
 * pof_ldl_at(slot[k], i, j). diagonal[b] is the slot of block (b, b). Places with row == col get the
 * whole block; both of its off-diagonal elements are to be added. O(n + fill). */
int pof_ldl_new(struct pof_ldl **out, const struct pof_ldl_places *places, uint32_t *slot,
                uint32_t *diagonal, struct pof_err *err) POF_CHECKED;
void pof_ldl_free(struct pof_ldl *ldl);

static inline size_t pof_ldl_at(uint32_t slot, unsigned i, unsigned j)
{
    return 4 * (size_t)(slot >> 1) + (slot & 1 ? 2 * j + i : 2 * i + j);
}

/* The values to be added to, and how many there are. */
double *pof_ldl_values(struct pof_ldl *ldl, size_t *n);
/* Multiplications of one factorisation; blocks of L. */
double pof_ldl_flops(const struct pof_ldl *ldl);
size_t pof_ldl_fill(const struct pof_ldl *ldl);

/* Factors the values; returns how many pivots were taken as infinite. No allocation. */
uint32_t pof_ldl_factor(struct pof_ldl *ldl);
/* Whether the pivot of an unknown was taken as infinite. */
bool pof_ldl_infinite(const struct pof_ldl *ldl, uint32_t unknown);

/* The place of a block in the order of elimination, in which right-hand sides are. */
const uint32_t *pof_ldl_order(const struct pof_ldl *ldl);

/* x := A^-1 x for x[2 * pof_ldl_order(block) + i]; lanes: x[(2 * order + i) * POF_LDL_LANES + lane].
 * No allocation. O(fill). */
void pof_ldl_solve(const struct pof_ldl *ldl, double *x);
void pof_ldl_solve_lanes(const struct pof_ldl *ldl, double *x);

/* The same in parts, for callers that do more with what is in the cache. The order of elimination
 * falls into n pieces, begin[0 .. n]: no block of a piece has anything to do with one of another
 * piece, but for the last, where all ways meet. A piece but the last is small. So with forward on all
 * pieces in their order, then backward on the last one, and on the others in any order, a system is
 * solved: x is as above; forward subtracts from x of the last piece; backward takes the solution
 * of the last piece from `beyond`, whose first block is that of the piece, so that x may be put to
 * other use there. Backward of the last piece itself: beyond = its place in x. */
const uint32_t *pof_ldl_pieces(const struct pof_ldl *ldl, uint32_t *n);
void pof_ldl_forward(const struct pof_ldl *ldl, uint32_t begin, uint32_t end, double *x);
void pof_ldl_backward(const struct pof_ldl *ldl, uint32_t begin, uint32_t end, double *x,
                      const double *beyond);
void pof_ldl_forward_lanes(const struct pof_ldl *ldl, uint32_t begin, uint32_t end, double *x);
void pof_ldl_backward_lanes(const struct pof_ldl *ldl, uint32_t begin, uint32_t end, double *x,
                            const double *beyond);

/* The inverse on the pattern of L, of the present factors. O(flops) about. */
int pof_ldl_invert(struct pof_ldl *ldl, struct pof_err *err) POF_CHECKED;
/* Block (b, c) of that inverse into z[4], by rows; the pattern must hold it: false, and z = 0, when
 * it does not. O(log fill of a column). After pof_ldl_invert. */
bool pof_ldl_inverse(const struct pof_ldl *ldl, uint32_t b, uint32_t c, double z[4]);
/* The same by a slot of pof_ldl_new; O(1). */
void pof_ldl_inverse_at(const struct pof_ldl *ldl, uint32_t slot, double z[4]);

/* Asks for the memory of n slots, which are wanted soon. */
void pof_ldl_inverse_soon(const struct pof_ldl *ldl, const uint32_t *slot, uint32_t n);
/* The same of n slots, faster than one by one. */
void pof_ldl_inverse_of(const struct pof_ldl *ldl, const uint32_t *slot, uint32_t n, double (*z)[4]);

#endif
