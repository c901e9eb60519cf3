/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal text and integers, exactly. */
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The grammar of a JSON number (RFC 8259, section 6). */
static bool is_json_number(struct pof_text t)
{
    const char *p = t.ptr;
    const char *end = p + t.len;
    p += p < end && *p == '-';
    if (p == end || !is_digit(*p)) {
        return false;
    }
    if (*p == '0') {
        p++;
    } else {
        while (p < end && is_digit(*p)) {
            p++;
        }
    }
    if (p < end && *p == '.') {
        p++;
        if (p == end || !is_digit(*p)) {
            return false;
        }
        while (p < end && is_digit(*p)) {
            p++;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        if (p == end || !is_digit(*p)) {
            return false;
        }
        while (p < end && is_digit(*p)) {
            p++;
        }
    }
    return p == end;
}

/* Up to 15 digits and a power of ten that is exact in a double: one correctly rounded operation
 * gives the correctly rounded result (W. D. Clinger, How to Read Floating Point Numbers Accurately,
 * PLDI 1990). */
static bool fast_real(struct pof_text t, double *out)
{
    static const double ten[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char *p = t.ptr;
    const char *end = p + t.len;
    bool negative = *p == '-';
    p += negative;
    int64_t mantissa = 0;
    int digits = 0;
    int decimals = 0;
    bool point = false;
    for (; p < end; p++) {
        if (*p == '.') {
            point = true;
        } else if (is_digit(*p)) {
            mantissa = mantissa * 10 + (*p - '0');
            decimals += point;
            if (++digits > 15) {
                return false;
            }
        } else {
            return false;
        }
    }
    double v = (double)mantissa / ten[decimals];
    *out = negative ? -v : v;
    return true;
}

bool pof_real_parse(struct pof_text text, double *out)
{
    if (!is_json_number(text)) {
        return false;
    }
    if (fast_real(text, out)) {
        return true;
    }
    char small[64];
    if (text.len < sizeof small) {
        memcpy(small, text.ptr, text.len);
        small[text.len] = '\0';
        *out = strtod(small, NULL);
        return isfinite(*out);
    }
    char *copy = malloc(text.len + 1);
    if (!copy) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *out = strtod(copy, NULL);
    free(copy);
    return isfinite(*out);
}

size_t pof_real_format(double v, char *to)
{
    if (v == 0) {
        to[0] = '0';
        return 1;
    }
    char text[POF_REAL_MAX];
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, v);
        if (digits == 17 || strtod(text, NULL) == v) {
            break;
        }
    }
    memcpy(to, text, (size_t)n);
    return (size_t)n;
}
