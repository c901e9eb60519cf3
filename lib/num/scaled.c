/* SPDX-License-Identifier: Apache-2.0 */
#include "num/scaled.h"

#include <string.h>

/* The digits of a number without its point, and how many of them stand before it. */
struct parts {
    struct pof_text whole, fraction;
    int64_t exponent;
    bool negative;
};

enum { EXPONENT_MAX = 9999 }; /* far beyond any quantity */

static size_t digit_run(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && p[n] >= '0' && p[n] <= '9') {
        n++;
    }
    return n;
}

static bool exponent(const char *p, const char *end, int64_t *out)
{
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    size_t n = digit_run(p, end);
    if (n == 0 || p + n != end) {
        return false;
    }
    int64_t v = 0;
    for (; p < end; p++) {
        v = v * 10 + (*p - '0');
        v = v < EXPONENT_MAX ? v : EXPONENT_MAX;
    }
    *out = negative ? -v : v;
    return true;
}

static bool split(struct pof_text text, struct parts *out)
{
    const char *p = text.ptr, *end = p + text.len;
    *out = (struct parts){.negative = p < end && *p == '-'};
    p += out->negative;
    out->whole = (struct pof_text){p, digit_run(p, end)};
    p += out->whole.len;
    out->fraction = (struct pof_text){p, 0};
    if (p < end && *p == '.') {
        out->fraction = (struct pof_text){p + 1, digit_run(p + 1, end)};
        p += 1 + out->fraction.len;
        if (out->fraction.len == 0) {
            return false;
        }
    }
    if (out->whole.len == 0) {
        return false;
    }
    return p == end || ((*p | 0x20) == 'e' && exponent(p + 1, end, &out->exponent));
}

static int digit_at(const struct parts *n, size_t i)
{
    return (i < n->whole.len ? n->whole.ptr[i] : n->fraction.ptr[i - n->whole.len]) - '0';
}

bool pof_decimal_scaled(struct pof_text text, int power, int64_t *out, bool *exact)
{
    struct parts n;
    if (!split(text, &n)) {
        return false;
    }
    size_t digits = n.whole.len + n.fraction.len;
    int64_t kept = (int64_t)n.whole.len + n.exponent + power; /* digits before the new point */
    int64_t v = 0;                                             /* kept negative */
    for (int64_t i = 0; i < kept; i++) {
        int digit = (uint64_t)i < digits ? digit_at(&n, (size_t)i) : 0;
        if ((uint64_t)i >= digits && v == 0) {
            break; /* nothing but zeros, however long */
        }
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v)) {
            return false;
        }
    }
    /* What is left over against one half: its first digit, and whether anything follows. */
    int first = kept >= 0 && (uint64_t)kept < digits ? digit_at(&n, (size_t)kept) : 0;
    bool more = false;
    for (size_t i = kept < 0 ? 0 : (size_t)kept + 1; i < digits && !more; i++) {
        more = digit_at(&n, i) != 0;
    }
    *exact = first == 0 && !more;
    bool up = first > 5 || (first == 5 && (more || v % 2 != 0));
    if (up && __builtin_sub_overflow(v, 1, &v)) {
        return false;
    }
    return n.negative ? (*out = v, true) : !__builtin_sub_overflow((int64_t)0, v, out);
}
