/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles as ECMAScript prints them. */
#include "trust/jcs.h"

#include "num/real.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    struct pof_real_digits d = pof_real_shortest(v);
    char digit[24];
    int k = snprintf(digit, sizeof digit, "%" PRIu64, d.digits);
    int n = k + d.exponent;
    if (k <= n && n <= 21) {
        at = put(to, at, digit, k);
        return zeros(to, at, n - k);
    }
    if (0 < n && n <= 21) {
        at = put(to, at, digit, n);
        to[at++] = '.';
        return put(to, at, digit + n, k - n);
    }
    if (-6 < n && n <= 0) {
        at = put(to, at, "0.", 2);
        at = zeros(to, at, -n);
        return put(to, at, digit, k);
    }
    to[at++] = digit[0];
    if (k > 1) {
        to[at++] = '.';
        at = put(to, at, digit + 1, k - 1);
    }
    char exponent[16];
    int len = snprintf(exponent, sizeof exponent, "e%+d", n - 1);
    return put(to, at, exponent, len);
}
