/* SPDX-License-Identifier: Apache-2.0 */
/* Integers with units. */
#include "num/units.h"

int pof_muldiv(int64_t a, int64_t b, int64_t c, int64_t *out, struct pof_err *err)
{
    __int128 product = (__int128)a * b;
    __int128 quotient = product / c;
    __int128 rest = product % c; /* sign of the product */
    __int128 twice = rest < 0 ? -2 * rest : 2 * rest;
    if (twice > c || (twice == c && quotient % 2 != 0)) {
        quotient += product < 0 ? -1 : 1;
    }
    if (quotient > INT64_MAX || quotient < INT64_MIN) {
        return pof_fail(err, POF_E_OVERFLOW, "%lld times %lld exceeds 64 bits", (long long)a,
                        (long long)b);
    }
    *out = (int64_t)quotient;
    return 0;
}

int pof_cost(int64_t energy_ws, int64_t price_ueur_mwh, int64_t *money_ueur, struct pof_err *err)
{
    return pof_muldiv(energy_ws, price_ueur_mwh, POF_WS_PER_MWH, money_ueur, err);
}

int pof_add(int64_t *sum, int64_t term, struct pof_err *err)
{
    if (__builtin_add_overflow(*sum, term, sum)) {
        return pof_fail(err, POF_E_OVERFLOW, "a sum exceeds 64 bits");
    }
    return 0;
}
