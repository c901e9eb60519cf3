/* SPDX-License-Identifier: Apache-2.0 */
/* Normal variates. */
#include "num/gauss.h"

#include "num/rng.h"

#include <math.h>

double pof_unit(uint64_t bits)
{
    return ((double)(bits >> 11) + 0.5) * 0x1p-53;
}

double pof_gauss(uint64_t seed, uint64_t a, uint64_t b)
{
    double u = pof_unit(pof_random(seed, a, 2 * b)), v = pof_unit(pof_random(seed, a, 2 * b + 1));
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}
