/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal texts of any unit as integers of another: 1.2345 kW as 1234 W (and that it was rounded). */
#ifndef POF_NUM_SCALED_H
#define POF_NUM_SCALED_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* text times 10^power, rounded half to even where digits are left over; *exact says whether none were.
 * A sign, digits, a fraction and an exponent as JSON has them (zeros in front are allowed), no blanks.
 * No double is on the way. false: not of this form, or beyond int64. O(length). */
bool pof_decimal_scaled(struct pof_text text, int power, int64_t *out, bool *exact);

#endif
