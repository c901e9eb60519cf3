/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest decimal of a double. Names as in Giulietti's paper: v = c * 2^q; the decimals that
 * read back as v lie between the middles vl, vr to its neighbours; k is chosen so that 10^k is the
 * greatest power of ten not above the width of that interval, so one or more multiples of 10^k lie
 * inside and at most one multiple of 10^(k + 1). */
#include "num/real.h"

#include "num/powers.h"

#include <endian.h>
#include <string.h>

enum { FRACTION_BITS = 52, EXPONENT_ZERO = 1075 /* v = c * 2^(power - 1075) */ };

/* 10^e to 128 bits, rounded up where it is not exact (section 9.8 of the paper, there 126 bits). */
static struct pofi_power upper_power(int e)
{
    struct pofi_power t = pofi_power[e - POFI_POWER_MIN];
    bool inexact = e < 0 || e > POFI_POWER_EXACT;
    t.lo += inexact;
    t.hi += inexact && t.lo == 0;
    return t;
}

/* floor(g * c / 2^128), its last bit 1 when anything was cut off: rounding to odd keeps every later
 * comparison with an even number right (section 9.9). */
static uint64_t to_odd(struct pofi_power g, uint64_t c)
{
    unsigned __int128 low = (unsigned __int128)g.lo * c;
    unsigned __int128 high = (unsigned __int128)g.hi * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* Which multiple of 10^k, or when one lies inside of 10^(k + 1), stands for v; vl, v and vr are
 * times 4 * 10^-k (figure 4 of the paper). */
static uint64_t choose(uint64_t vl, uint64_t v, uint64_t vr, bool *shorter)
{
    uint64_t s = v / 4;
    *shorter = false;
    if (s >= 10) {
        uint64_t t = s / 10; /* of 10^(k + 1) */
        bool below = vl <= 40 * t, above = 40 * (t + 1) <= vr;
        if (below != above) {
            *shorter = true;
            return t + above;
        }
    }
    bool below = vl <= 4 * s, above = 4 * (s + 1) <= vr;
    if (below != above) {
        return s + above;
    }
    uint64_t middle = 4 * s + 2;
    return s + (v > middle || (v == middle && (s & 1)));
}

/* Cuts off zeros at the end. */
static void strip(struct pof_real_digits *d)
{
    static const struct {
        uint64_t ten;
        int n;
    } step[] = {{100000000, 8}, {10000, 4}, {100, 2}, {10, 1}};
    if (d->digits % 10) {
        return;
    }
    for (size_t i = 0; i < sizeof step / sizeof step[0]; i++) {
        while (d->digits % step[i].ten == 0) {
            d->digits /= step[i].ten;
            d->exponent += step[i].n;
        }
    }
}

static int count(uint64_t u)
{
    int n = 1;
    for (; u >= 10000; u /= 10000) {
        n += 4;
    }
    return n + (u >= 10) + (u >= 100) + (u >= 1000);
}

struct pof_real_digits pof_real_shortest(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int power = (int)(bits >> FRACTION_BITS & 0x7ff);
    struct pof_real_digits d = {.count = 1};
    if (power == 0 && fraction == 0) {
        return d;
    }
    uint64_t c = fraction | (power ? UINT64_C(1) << FRACTION_BITS : 0);
    int q = (power ? power : 1) - EXPONENT_ZERO;
    if (q <= 0 && q > -53 && (c & ((UINT64_C(1) << -q) - 1)) == 0) {
        d.digits = c >> -q; /* a whole number below 2^53 is its own shortest decimal */
    } else {
        /* Below a power of two doubles lie half as far apart. */
        bool narrow = fraction == 0 && power > 1;
        /* floor(log10(2^q)), floor(log10(3/4 * 2^q)): 1262611 / 2^22 is log10 2, 524031 / 2^22 is
         * -log10 3/4 (section 9.7). */
        int k = (q * 1262611 - (narrow ? 524031 : 0)) >> 22;
        int h = q + pofi_log2_of_ten(-k) + 1;
        struct pofi_power g = upper_power(-k);
        uint64_t odd = c & 1; /* the middles themselves read back as v when c is even */
        uint64_t vl = to_odd(g, (4 * c - 2 + narrow) << h) + odd;
        uint64_t vr = to_odd(g, (4 * c + 2) << h) - odd;
        bool shorter;
        d.digits = choose(vl, to_odd(g, 4 * c << h), vr, &shorter);
        d.exponent = k + shorter;
    }
    strip(&d);
    d.count = count(d.digits);
    return d;
}

/* Eight digits of u < 10^8 at to: halves, quarters and digits side by side in one word, quotients by
 * multiplication (10486 / 2^20 is 1 / 100 for four digits, 103 / 2^10 is 1 / 10 for two). */
static void put_eight(char *to, uint32_t u)
{
    uint64_t fours = u / 10000 | (uint64_t)(u % 10000) << 32;
    uint64_t high = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t twos = high | (fours - 100 * high) << 16;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    uint64_t digits = htole64((tens | (twos - 10 * tens) << 8) + UINT64_C(0x3030303030303030));
    memcpy(to, &digits, 8);
}

/* Digits of u, n of them, at to: eight by eight from the last. */
static void put(char *to, uint64_t u, int n)
{
    for (; n >= 8; u /= 100000000) {
        n -= 8;
        put_eight(to + n, (uint32_t)(u % 100000000));
    }
    if (n == 1) {
        to[0] = (char)('0' + u);
    } else if (n > 0) {
        char eight[8];
        put_eight(eight, (uint32_t)u);
        for (int i = 0; i < n; i++) {
            to[i] = eight[8 - n + i];
        }
    }
}

/* d.ddde+xx; the exponent has two digits or more. */
static size_t scientific(const struct pof_real_digits *d, int point, char *to)
{
    size_t n = (size_t)d->count;
    put(to + 1, d->digits, d->count);
    to[0] = to[1];
    to[1] = '.';
    n += n > 1;
    to[n++] = 'e';
    to[n++] = point < 0 ? '-' : '+';
    int e = point < 0 ? -point : point;
    int width = e >= 100 ? 3 : 2;
    put(to + n, (uint64_t)e, width);
    return n + (size_t)width;
}

size_t pof_real_format(double v, char *to)
{
    enum { PRECISION = 15 }; /* digits that every decimal keeps on its way through a double */
    struct pof_real_digits d = pof_real_shortest(v);
    if (d.digits == 0) {
        to[0] = '0';
        return 1;
    }
    size_t sign = v < 0;
    to[0] = '-';
    to += sign;
    int point = d.count - 1 + d.exponent; /* v = d.ddd * 10^point */
    if (point < -4 || point >= (d.count > PRECISION ? d.count : PRECISION)) {
        return sign + scientific(&d, point, to);
    }
    if (d.exponent >= 0) {
        put(to, d.digits, d.count);
        memset(to + d.count, '0', (size_t)d.exponent);
        return sign + (size_t)(d.count + d.exponent);
    }
    if (point < 0) {
        memcpy(to, "0.000", 5);
        put(to + 1 - point, d.digits, d.count);
        return sign + (size_t)(1 - point + d.count);
    }
    put(to + 1, d.digits, d.count);
    memmove(to, to + 1, (size_t)point + 1);
    to[point + 1] = '.';
    return sign + (size_t)d.count + 1;
}
