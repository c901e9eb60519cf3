/* SPDX-License-Identifier: Apache-2.0 */
/* Power, energy, prices and money as integers, and the one place where they are rounded.
 *
 * power   int64 W          positive: from the grid to the customer (consumption), as in UFTP 3
 * energy  int64 W.s        power times seconds, exact for every market time unit
 * price   int64 1e-6 EUR/MWh
 * money   int64 1e-6 EUR   positive: to be paid to the party named
 *
 * Flexibility directions: `up` is more generation or less consumption, `down` the reverse; an
 * amount of flexibility is never negative. */
#ifndef POF_NUM_UNITS_H
#define POF_NUM_UNITS_H

#include "base/err.h"

#include <stdint.h>

#define POF_WS_PER_MWH INT64_C(3600000000) /* 1e6 W x 3600 s */

enum { POF_QUARTER_S = 900 };

/* The names of this enum in records are "up" and "down". */
enum pof_direction { POF_UP, POF_DOWN };

/* a * b / c rounded half to even, in 128 bits on the way; c > 0. */
int pof_muldiv(int64_t a, int64_t b, int64_t c, int64_t *out, struct pof_err *err) POF_CHECKED;

/* Money of an energy at a price, rounded once, half to even. */
int pof_cost(int64_t energy_ws, int64_t price_ueur_mwh, int64_t *money_ueur,
             struct pof_err *err) POF_CHECKED;

/* *sum += term, POF_E_OVERFLOW when it does not fit. */
int pof_add(int64_t *sum, int64_t term, struct pof_err *err) POF_CHECKED;

#endif
