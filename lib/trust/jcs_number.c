/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles as ECMAScript prints them. */
#include "trust/jcs.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 17, TEXT = 32 };

/* v = 0.d1d2d3... * 10^point, without trailing zeros. */
struct decimal {
    char digit[DIGITS + 1];
    int n;
    int point;
};

/* v with n significant digits, v > 0. */
static void round_to(double v, int n, struct decimal *d)
{
    char text[TEXT + 16];
    snprintf(text, sizeof text, "%.*e", n - 1, v); /* d.ddde[+-]xx */
    d->n = 0;
    const char *p = text;
    for (; *p && *p != 'e'; p++) {
        if (*p != '.') {
            d->digit[d->n++] = *p;
        }
    }
    d->point = (int)strtol(p + 1, NULL, 10) + 1;
    while (d->n > 1 && d->digit[d->n - 1] == '0') {
        d->n--;
    }
}

static double read_back(const struct decimal *d)
{
    char text[TEXT + 16];
    snprintf(text, sizeof text, "%.*se%d", d->n, d->digit, d->point - d->n);
    return strtod(text, NULL);
}

/* One more in the last of n digits. */
static void next_up(struct decimal *d, int n)
{
    while (d->n < n) {
        d->digit[d->n++] = '0';
    }
    int i = n - 1;
    while (i >= 0 && d->digit[i] == '9') {
        d->digit[i--] = '0';
    }
    if (i >= 0) {
        d->digit[i]++;
    } else {
        d->digit[0] = '1';
        d->point++;
    }
    while (d->n > 1 && d->digit[d->n - 1] == '0') {
        d->n--;
    }
}

/* The shortest digits that read back as v > 0, and among these the nearest to v.
 *
 * A normal double whose shortest form has at most 15 digits shows it at 15 (DBL_DIG); subnormals
 * must be tried from one digit on. At a power of two the interval of decimals that read back as v
 * is half as wide below v as above, so the nearest 16 digits may lie outside below while the next
 * ones up lie inside (2^-44 is such a number). */
static void shortest(double v, struct decimal *d)
{
    int exponent;
    bool power_of_two = frexp(v, &exponent) == 0.5;
    for (int n = v < DBL_MIN ? 1 : DBL_DIG; n < DIGITS; n++) {
        round_to(v, n, d);
        if (read_back(d) == v) {
            return;
        }
        if (power_of_two) {
            next_up(d, n);
            if (read_back(d) == v) {
                return;
            }
        }
    }
    round_to(v, DIGITS, d);
}

static size_t put(char *to, size_t at, const char *bytes, int n)
{
    memcpy(to + at, bytes, (size_t)n);
    return at + (size_t)n;
}

static size_t zeros(char *to, size_t at, int n)
{
    memset(to + at, '0', (size_t)n);
    return at + (size_t)n;
}

/* ECMA-262, Number::toString(x, 10): k digits, the point behind the n-th of them. */
size_t pof_jcs_number(double v, char *to)
{
    if (v == 0) {
        to[0] = '0';
        return 1;
    }
    size_t at = 0;
    if (v < 0) {
        to[at++] = '-';
        v = -v;
    }
    struct decimal d;
    shortest(v, &d);
    int k = d.n;
    int n = d.point;
    if (k <= n && n <= 21) {
        at = put(to, at, d.digit, k);
        return zeros(to, at, n - k);
    }
    if (0 < n && n <= 21) {
        at = put(to, at, d.digit, n);
        to[at++] = '.';
        return put(to, at, d.digit + n, k - n);
    }
    if (-6 < n && n <= 0) {
        at = put(to, at, "0.", 2);
        at = zeros(to, at, -n);
        return put(to, at, d.digit, k);
    }
    to[at++] = d.digit[0];
    if (k > 1) {
        to[at++] = '.';
        at = put(to, at, d.digit + 1, k - 1);
    }
    char exponent[16];
    int len = snprintf(exponent, sizeof exponent, "e%+d", n - 1);
    return put(to, at, exponent, len);
}
