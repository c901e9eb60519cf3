/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal text and integers, exactly. */
#include "num/decimal.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* value = 10 * value + digit, towards negative infinity so that INT64_MIN is reachable. */
static bool append_digit(int64_t *value, int digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_sub_overflow(*value, digit, value);
}

bool pof_decimal_parse(struct pof_text text, int scale, int64_t *out)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    bool negative = p < end && *p == '-';
    p += negative;
    if (p == end || !is_digit(*p) || (*p == '0' && p + 1 < end && is_digit(p[1]))) {
        return false;
    }
    int64_t v = 0; /* kept negative */
    for (; p < end && is_digit(*p); p++) {
        if (!append_digit(&v, *p - '0')) {
            return false;
        }
    }
    int left = scale;
    if (p < end) {
        if (*p != '.' || p + 1 == end) {
            return false;
        }
        for (p++; p < end; p++) {
            if (!is_digit(*p) || (left == 0 && *p != '0')) {
                return false;
            }
            if (left > 0) {
                left--;
                if (!append_digit(&v, *p - '0')) {
                    return false;
                }
            }
        }
    }
    for (; left > 0; left--) {
        if (!append_digit(&v, 0)) {
            return false;
        }
    }
    return negative ? (*out = v, true) : !__builtin_sub_overflow((int64_t)0, v, out);
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                            "34353637383940414243444546474849505152535455565758596061626364656667"
                            "6869707172737475767778798081828384858687888990919293949596979899";

static const uint64_t power[] = {1,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 1000000000,
                                 10000000000,
                                 100000000000,
                                 1000000000000,
                                 10000000000000,
                                 100000000000000,
                                 1000000000000000,
                                 10000000000000000,
                                 100000000000000000,
                                 1000000000000000000,
                                 10000000000000000000u};

/* How many digits u has; 1 for 0. */
static unsigned digit_count(uint64_t u)
{
    /* 1233 / 4096 is just above log10(2): the guess is right or one too low. */
    unsigned guess = (unsigned)(64 - __builtin_clzll(u | 1)) * 1233 >> 12;
    return guess + ((u | 1) >= power[guess]);
}

/* The last n digits of u, with zeros in front, to p[0..n), two at a time. */
static inline void put_digits(char *p, unsigned n, uint64_t u)
{
    for (; n >= 2; n -= 2, u /= 100) {
        memcpy(p + n - 2, pairs + u % 100 * 2, 2);
    }
    if (n) {
        p[0] = (char)('0' + u % 10);
    }
}

size_t pof_decimal_format(int64_t value, int scale, char *to)
{
    char *p = to;
    uint64_t u = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t whole = scale ? u / power[scale] : u;
    uint64_t part = u - whole * power[scale];
    *p = '-';
    p += value < 0;
    unsigned n = digit_count(whole);
    put_digits(p, n, whole);
    p += n;
    if (part) {
        *p++ = '.';
        put_digits(p, (unsigned)scale, part);
        for (p += scale; p[-1] == '0';) {
            p--;
        }
    }
    return (size_t)(p - to);
}
