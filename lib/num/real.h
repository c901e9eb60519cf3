/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles and their decimal texts, exactly and fast: what is read is the double nearest to the
 * text, ties to even; what is written is the shortest text that reads back as the same double. No
 * locale is asked, nothing is allocated. The machine must round to nearest (the state a program
 * starts in). */
#ifndef POF_NUM_REAL_H
#define POF_NUM_REAL_H

#include "base/text.h"

#include <stdint.h>

enum { POF_REAL_MAX = 32 }; /* bytes enough for the text of any double */

/* Which texts are numbers. */
enum pof_real_form {
    POF_REAL_JSON, /* RFC 8259: no '+', no needless zeros in front, digits on both sides of a point
                    */
    POF_REAL_FREE  /* as programs of all kinds write them: a sign, a point anywhere, and an exponent
                      of e, E, d or D */
};

/* Reads the number that begins at p, with all the digits that belong to it; returns the place
 * behind it, p when none begins there. end may be p. Beyond the range of a double *out is an
 * infinity, or a zero of the same sign: the caller decides. Words (inf, nan) are no numbers.
 * O(length).
 *
 * W. D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990 (small exponents);
 * D. Lemire, "Number Parsing at a Gigabyte per Second", Software: Practice and Experience 51
 * (2021), with N. Mushtak and D. Lemire, "Fast Number Parsing Without Fallback", ibid. 53 (2023)
 * (up to 19 digits); comparison of whole numbers with the middle of two doubles beyond. */
const char *pof_real_scan(const char *p, const char *end, enum pof_real_form form, double *out);

/* A whole text as a number of JSON; false when it is not one, or not finite as a double. */
bool pof_real_parse(struct pof_text text, double *out);

/* The double nearest to digits * 10^exponent, for scanners that have the digits. O(1). */
double pof_real_of(uint64_t digits, int exponent);

/* The decimal of a double: digits * 10^exponent. */
struct pof_real_digits {
    uint64_t digits; /* at most 17 digits, the last one not 0; 0 for zero */
    int count;       /* how many; 1 for zero */
    int exponent;
};

/* The decimal with the fewest digits that reads back as |v|, of these the one nearest to |v|. v
 * must be finite. R. Giulietti, "The Schubfach way to render doubles" (2020). O(1). */
struct pof_real_digits pof_real_shortest(double v);

/* That decimal as text, in the style of "%g": 12.5, 1e-05, 1e+15; all digits before the point are
 * digits of the number, so from 10^15 on a text has an exponent unless it has more digits. -0 is
 * "0". Returns its length; to has POF_REAL_MAX bytes and is not NUL-terminated. */
size_t pof_real_format(double v, char *to);

#endif
