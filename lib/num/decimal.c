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

/* The digits of u at the end of a field of POF_DECIMAL_MAX bytes, two at a time; how many. */
static size_t digits_of(uint64_t u, char *end)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                                "34353637383940414243444546474849505152535455565758596061626364656667"
                                "6869707172737475767778798081828384858687888990919293949596979899";
    char *p = end;
    while (u >= 100) {
        p -= 2;
        memcpy(p, pairs + u % 100 * 2, 2);
        u /= 100;
    }
    if (u >= 10) {
        p -= 2;
        memcpy(p, pairs + u * 2, 2);
    } else {
        *--p = (char)('0' + u);
    }
    return (size_t)(end - p);
}

size_t pof_decimal_format(int64_t value, int scale, char *to)
{
    char field[POF_DECIMAL_MAX];
    char *end = field + sizeof field;
    uint64_t u = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (scale > 0 && u % 10 == 0) {
        u /= 10;
        scale--;
    }
    size_t n = digits_of(u, end);
    while (n <= (size_t)scale) {
        *(end - ++n) = '0';
    }
    size_t len = value < 0;
    size_t whole = n - (size_t)scale;
    to[0] = '-';
    memcpy(to + len, end - n, whole);
    len += whole;
    if (scale > 0) {
        to[len++] = '.';
        memcpy(to + len, end - scale, (size_t)scale);
        len += (size_t)scale;
    }
    return len;
}
