/* SPDX-License-Identifier: Apache-2.0 */
/* Normal variates by their place in a stream, as num/rng.h gives uniform ones. */
#ifndef POF_NUM_GAUSS_H
#define POF_NUM_GAUSS_H

#include <stdint.h>

/* (0, 1), never 0 or 1, from 64 random bits. */
double pof_unit(uint64_t bits);

/* Mean 0, variance 1, for the place (a, b) of a stream (G. E. P. Box, M. E. Muller, Ann. Math.
 * Statist. 29(2), 1958). O(1). */
double pof_gauss(uint64_t seed, uint64_t a, uint64_t b);

#endif
