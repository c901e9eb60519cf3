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
                                 1000000000000000000};

enum { EIGHT = 100000000 };

/* The eight digits of u < 10^8 as bytes 0 to 9, the first one lowest: halves, quarters and eighths side
 * by side in one word, divided by multiplication (10486 / 2^20 and 103 / 2^10 are just above 1/100 and
 * 1/10, exact after truncation for what is left here). */
static inline uint64_t eight_digits(uint32_t u)
{
    uint64_t v = u / 10000 | (uint64_t)(u % 10000) << 32;
    uint64_t hundreds = (v * 10486 >> 20) & UINT64_C(0x7f0000007f);
    v = hundreds | (v - hundreds * 100) << 16;
    uint64_t tens = (v * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (v - tens * 10) << 8;
}

static inline void store(char *to, uint64_t digits)
{
    uint64_t w = digits + UINT64_C(0x3030303030303030);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    memcpy(to, &w, 8);
}

/* A whole number at p, which has room for 8 bytes more; returns the place behind it. */
static char *put_whole(char *p, uint64_t u)
{
    if (u >= EIGHT) {
        p = put_whole(p, u / EIGHT);
        store(p, eight_digits((uint32_t)(u % EIGHT)));
        return p + 8;
    }
    uint64_t d = eight_digits((uint32_t)u);
    unsigned zeros = (unsigned)__builtin_ctzll(d | UINT64_C(1) << 56) / 8;
    store(p, d >> 8 * zeros);
    return p + 8 - zeros;
}

/* scale digits of a fraction that is not zero, without the zeros at its end. */
static char *put_fraction(char *p, uint64_t part, int scale)
{
    if (scale > 8) {
        for (int i = scale; i-- > 0; part /= 10) {
            p[i] = (char)('0' + part % 10);
        }
        for (p += scale; p[-1] == '0';) {
            p--;
        }
        return p;
    }
    uint64_t d = eight_digits((uint32_t)(part * power[8 - scale]));
    store(p, d);
    return p + 8 - (unsigned)__builtin_clzll(d) / 8;
}

size_t pof_decimal_format(int64_t value, int scale, char *to)
{
    char *p = to;
    uint64_t u = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    /* Of the scales, one is that of nearly all amounts: a division by a number that is known is none. */
    uint64_t whole = scale == 0 ? u : scale == POF_MICRO ? u / 1000000 : u / power[scale];
    uint64_t part = u - whole * power[scale];
    *p = '-';
    p = put_whole(p + (value < 0), whole);
    if (part) {
        *p++ = '.';
        p = put_fraction(p, part, scale);
    }
    return (size_t)(p - to);
}
