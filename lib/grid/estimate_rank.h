/* SPDX-License-Identifier: Apache-2.0 */
/* What rows of numbers determine, without rounding.
 *
 * Which unknowns a set of linear equations determines is a question of rank, and rank in floating
 * point a question of thresholds. Here numbers are residues modulo the prime 2^61 - 1 and structure
 * stands for itself: coefficients that are drawn at random are in general position but for a chance
 * of about unknowns / 2^61 (J. Schwartz, J. ACM 27(4), 1980). H'WH with random weights W then has the
 * rank of H, and its factors L D L' have a pivot of zero exactly where a column of H depends on those
 * before it; the rest of such a column is zero as well. A random vector of the null space has an
 * element of zero exactly where an unknown is determined, and two equal elements where their
 * difference is. */
#ifndef POF_GRID_ESTIMATE_RANK_H
#define POF_GRID_ESTIMATE_RANK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POF_RANK_PRIME ((UINT64_C(1) << 61) - 1)

static inline uint64_t pof_rank_add(uint64_t a, uint64_t b)
{
    uint64_t s = a + b;
    return s >= POF_RANK_PRIME ? s - POF_RANK_PRIME : s;
}

static inline uint64_t pof_rank_sub(uint64_t a, uint64_t b)
{
    return a >= b ? a - b : a + POF_RANK_PRIME - b;
}

static inline uint64_t pof_rank_mul(uint64_t a, uint64_t b)
{
    unsigned __int128 x = (unsigned __int128)a * b;
    return pof_rank_add((uint64_t)(x & POF_RANK_PRIME), (uint64_t)(x >> 61));
}

/* 1 / a; a must not be 0. */
uint64_t pof_rank_inverse(uint64_t a);
/* A residue other than 0 for the place (a, b) of a stream. */
uint64_t pof_rank_random(uint64_t stream, uint64_t a, uint64_t b);

/* Rows over unknowns in blocks of two: row r touches block[begin[r]] .. with values two by two. */
struct pof_rank_rows {
    uint32_t blocks;
    size_t rows;
    const size_t *begin;   /* [rows + 1] */
    const uint32_t *block;
    const uint64_t *value; /* [2 * entries] residues */
};

struct pof_rank {
    uint32_t n;        /* unknowns, 2 * blocks */
    uint32_t lost;     /* n less the rank */
    bool *free;        /* [n] unknowns which, if they were read, would make all determined: as many
                          as are lost */
    uint32_t *place;   /* [n] of an unknown in the order of elimination */
    uint32_t *order;   /* [n] its inverse */
    size_t *begin;     /* [n + 1] columns of L */
    uint32_t *row;
    uint64_t *value;
};

/* Whether the rows have full rank, as far as can be seen without elimination (estimate_spread.c):
 * full = true is certain, and exact for these coefficients; false says nothing. Feeders with
 * injections everywhere and grids with flows along a spanning tree are seen. O(entries log n). */
int pof_rank_spread(const struct pof_rank_rows *rows, bool *full, struct pof_err *err) POF_CHECKED;

/* O(entries of row pairs + multiplications of a factorisation). */
int pof_rank_find(struct pof_rank *rank, const struct pof_rank_rows *rows,
                  struct pof_err *err) POF_CHECKED;
/* A random vector of the null space, y[n]; other streams give others. O(fill). */
void pof_rank_null(const struct pof_rank *rank, uint64_t stream, uint64_t *y);
void pof_rank_release(struct pof_rank *rank);

#endif
