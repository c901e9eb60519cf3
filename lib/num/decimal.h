/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal text and integers, exactly (doubles: num/real.h).
 *
 * A decimal of scale s is an int64 counting 10^-s: "12.5" of scale 6 is 12500000. No double is on
 * the way in either direction, no locale is asked. */
#ifndef POF_NUM_DECIMAL_H
#define POF_NUM_DECIMAL_H

#include "base/text.h"
#include "num/real.h"

#include <stdint.h>

enum {
    POF_DECIMAL_MAX = 32, /* bytes enough for any decimal */
    POF_MICRO = 6         /* the scale of money (1e-6 EUR) and prices (1e-6 EUR/MWh) */
};

/* Text such as -12.500 to an integer of the given scale (0..18). Accepts an optional '-', digits
 * without needless leading zeros, and a fraction whose digits beyond scale are all zero.
 * false: not of this form, or beyond int64. */
bool pof_decimal_parse(struct pof_text text, int scale, int64_t *out);

/* The shortest text with at most scale decimals: trailing zeros go, 0 is "0". For up to 15
 * significant digits this is also the number form of RFC 8785 (JCS). Returns its length; to has
 * POF_DECIMAL_MAX bytes and is not NUL-terminated. */
size_t pof_decimal_format(int64_t value, int scale, char *to);

#endif
