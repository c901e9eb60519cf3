/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal text to the nearest double. */
#include "num/real.h"

#include "num/powers.h"

#include <endian.h>
#include <math.h>
#include <string.h>

enum {
    FRACTION_BITS = 52,
    EXPONENT_BIAS = 1023,
    EXPONENT_INF = 0x7ff,
    WORD_DIGITS = 19, /* any number of so many digits fits 64 bits */
    TEXT_DIGITS = 768 /* the middle of two doubles has at most so many: beyond them, zero or not is
                         all that counts */
};

/* A number as it stands in the text. */
struct decimal {
    uint64_t w;         /* its first WORD_DIGITS digits */
    int64_t exponent;   /* of w */
    bool negative, cut; /* cut: there are more digits */
    const char *digit;  /* cut: the first that is not 0 ... */
    const char *end;    /* ... and behind the last; a point between them */
};

static bool is_digit(const char *p, const char *end)
{
    return p < end && (unsigned char)(*p - '0') < 10;
}

/* Are eight bytes all digits? 0x46 lifts what is above '9' to the high bit, borrowing marks what is
 * below '0'. */
static bool eight_digits(uint64_t v)
{
    return (((v + UINT64_C(0x4646464646464646)) | (v - UINT64_C(0x3030303030303030))) &
            UINT64_C(0x8080808080808080)) == 0;
}

/* Eight digits, first in the lowest byte, as a number: pairs, then fours, then all by
 * multiplication (Lemire 2021, section 8, after a technique of M. Ly Mula and others). */
static uint64_t eight_value(uint64_t v)
{
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    v -= UINT64_C(0x3030303030303030);
    v = v * 10 + (v >> 8);
    return (uint32_t)(((v & mask) * (100 + (UINT64_C(1000000) << 32)) +
                       ((v >> 16) & mask) * (1 + (UINT64_C(10000) << 32))) >>
                      32);
}

/* A run of digits appended to *w, which may wrap around; the place behind it. */
static inline const char *digits(const char *p, const char *end, uint64_t *w)
{
    uint64_t v = *w;
    while (end - p >= 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        eight = le64toh(eight);
        if (!eight_digits(eight)) {
            break;
        }
        v = v * 100000000 + eight_value(eight);
        p += 8;
    }
    for (; is_digit(p, end); p++) {
        v = v * 10 + (uint64_t)(*p - '0');
    }
    *w = v;
    return p;
}

/* The exponent behind a mantissa, 0 when there is none; NULL when JSON would have one. */
static const char *exponent(const char *p, const char *end, enum pof_real_form form, int64_t *out)
{
    *out = 0;
    if (p == end || !((*p | 0x20) == 'e' || (form == POF_REAL_FREE && (*p | 0x20) == 'd'))) {
        return p;
    }
    const char *q = p + 1;
    bool negative = q < end && *q == '-';
    q += q < end && (*q == '-' || *q == '+');
    if (!is_digit(q, end)) {
        return form == POF_REAL_JSON ? NULL : p;
    }
    int64_t v = 0;
    for (; is_digit(q, end); q++) {
        v = v < INT32_MAX ? v * 10 + (*q - '0') : v;
    }
    *out = negative ? -v : v;
    return q;
}

/* More than WORD_DIGITS digits in first .. end, perhaps zeros in front: takes as many as fit. */
static void take_first(struct decimal *d, const char *first, const char *end)
{
    int taken = 0;
    int64_t skipped = 0; /* before the point, behind what was taken */
    int64_t decimals = 0;
    bool point = false;
    d->w = 0;
    d->digit = NULL;
    d->end = end;
    for (const char *p = first; p < end; p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (taken == 0 && *p == '0') {
            decimals += point;
        } else if (taken < WORD_DIGITS) {
            d->digit = d->digit ? d->digit : p;
            d->w = d->w * 10 + (uint64_t)(*p - '0');
            taken++;
            decimals += point;
        } else {
            d->cut = true;
            skipped += !point;
        }
    }
    d->exponent += skipped - decimals;
}

static const char *take(const char *p, const char *end, enum pof_real_form form, struct decimal *d)
{
    *d = (struct decimal){.negative = p < end && *p == '-'};
    p += p < end && (*p == '-' || (*p == '+' && form == POF_REAL_FREE));
    const char *first = p;
    p = digits(p, end, &d->w);
    int64_t whole = p - first, fraction = 0;
    if (form == POF_REAL_JSON && (whole == 0 || (*first == '0' && whole > 1))) {
        return NULL;
    }
    if (p < end && *p == '.') {
        const char *behind = digits(p + 1, end, &d->w);
        fraction = behind - (p + 1);
        if (whole + fraction == 0 || (form == POF_REAL_JSON && fraction == 0)) {
            return NULL;
        }
        p = behind;
    } else if (whole == 0) {
        return NULL;
    }
    const char *last = p;
    p = exponent(p, end, form, &d->exponent);
    if (whole + fraction > WORD_DIGITS) {
        take_first(d, first, last);
    } else {
        d->exponent -= fraction;
    }
    return p;
}

static double from_bits(uint64_t fraction, int power)
{
    uint64_t bits = fraction | (uint64_t)power << FRACTION_BITS;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* w * 10^q to the first 64 bits and the next 64, not quite exactly: the second half of the power is
 * looked at only when it can change the 55 bits that are used. */
static uint64_t product(uint64_t w, int q, uint64_t *low)
{
    struct pofi_power t = pofi_power[q - POFI_POWER_MIN];
    unsigned __int128 first = (unsigned __int128)w * t.hi;
    if (((uint64_t)(first >> 64) & 0x1ff) == 0x1ff) {
        /* Reciprocals of powers of five below 2^64 are rounded up, so that exact quotients are seen
         * (Lemire 2021, section 5). Their low halves are below the greatest word. */
        uint64_t up = q < 0 && q >= -27;
        first += (uint64_t)((unsigned __int128)w * (t.lo + up) >> 64);
    }
    *low = (uint64_t)first;
    return (uint64_t)(first >> 64);
}

/* w * 10^q, correctly rounded, for any w > 0 (Lemire 2021, algorithm 1). */
static double scale(uint64_t w, int64_t q10)
{
    if (q10 < POFI_POWER_MIN) {
        return 0;
    }
    if (q10 > 308) {
        return HUGE_VAL;
    }
    int q = (int)q10;
    int zeros = __builtin_clzll(w);
    uint64_t low;
    uint64_t high = product(w << zeros, q, &low);
    int top = (int)(high >> 63);
    uint64_t m = high >> (top + 9); /* 54 bits: one to round by */
    int power = pofi_log2_of_ten(q) + 63 + top - zeros + EXPONENT_BIAS;
    if (power <= 0) { /* subnormal; no text of 19 digits is in the middle of two of them */
        if (power <= -63) {
            return 0;
        }
        m >>= 1 - power;
        m = (m + (m & 1)) >> 1;
        return from_bits(m, 0); /* a carry into bit 52 is the smallest normal number */
    }
    /* The middle of two doubles is met exactly only for small powers: to even then. */
    if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << (top + 9) == high) {
        m &= ~UINT64_C(1);
    }
    m = (m + (m & 1)) >> 1;
    if (m >> (FRACTION_BITS + 1)) {
        m >>= 1;
        power++;
    }
    if (power >= EXPONENT_INF) {
        return HUGE_VAL;
    }
    return from_bits(m & ((UINT64_C(1) << FRACTION_BITS) - 1), power);
}

/* --- more digits than fit a word --- */

/* 4096 bits: 5^1111 is the greatest power that meets a number of 769 digits, about 2600 bits, and a
 * shift by less than 1500 comes to it. */
enum { LIMBS = 64 };
struct whole {
    uint64_t limb[LIMBS]; /* lowest first */
    size_t n;
};

/* a = a * factor + more */
static void times_plus(struct whole *a, uint64_t factor, uint64_t more)
{
    unsigned __int128 carry = more;
    for (size_t i = 0; i < a->n; i++) {
        carry += (unsigned __int128)a->limb[i] * factor;
        a->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry && a->n < LIMBS) {
        a->limb[a->n++] = (uint64_t)carry;
    }
}

static void times_five(struct whole *a, int64_t power)
{
    const uint64_t five_27 = UINT64_C(7450580596923828125);
    for (; power >= 27; power -= 27) {
        times_plus(a, five_27, 0);
    }
    for (; power > 0; power--) {
        times_plus(a, 5, 0);
    }
}

static void times_two(struct whole *a, int64_t power)
{
    for (; power >= 63; power -= 63) {
        times_plus(a, UINT64_C(1) << 63, 0);
    }
    times_plus(a, UINT64_C(1) << (power > 0 ? power : 0), 0);
}

static int compare(const struct whole *a, const struct whole *b)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (size_t i = a->n; i-- > 0;) {
        if (a->limb[i] != b->limb[i]) {
            return a->limb[i] < b->limb[i] ? -1 : 1;
        }
    }
    return 0;
}

/* All digits of d, one more where digits beyond TEXT_DIGITS are not all 0; *exponent belongs to it.
 */
static struct whole all_digits(const struct decimal *d, int64_t *exponent)
{
    struct whole a = {.n = 0};
    int taken = 0;
    bool more = false;
    *exponent = d->exponent;
    for (const char *p = d->digit; p < d->end; p++) {
        if (*p == '.') {
            continue;
        }
        if (taken < TEXT_DIGITS) {
            times_plus(&a, 10, (uint64_t)(*p - '0'));
            taken++;
            *exponent -= taken > WORD_DIGITS;
        } else {
            more = more || *p != '0';
        }
    }
    if (more) {
        times_plus(&a, 10, 1);
        (*exponent)--;
    }
    return a;
}

/* d lies between two neighbours, below <= d <= above: which is nearer? */
static double nearer(const struct decimal *d, double below, double above)
{
    uint64_t bits;
    memcpy(&bits, &below, sizeof bits);
    int power = (int)(bits >> FRACTION_BITS);
    uint64_t m = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    m |= power ? UINT64_C(1) << FRACTION_BITS : 0;
    int64_t two = (power ? power : 1) - EXPONENT_BIAS - FRACTION_BITS - 1;
    struct whole middle = {.limb = {2 * m + 1}, .n = 1}; /* times 2^two */
    int64_t ten;
    struct whole value = all_digits(d, &ten); /* times 10^ten */
    times_five(ten > 0 ? &value : &middle, ten > 0 ? ten : -ten);
    times_two(ten > two ? &value : &middle, ten > two ? ten - two : two - ten);
    int order = compare(&value, &middle);
    bool up = order > 0 || (order == 0 && (bits & 1));
    return up ? above : below;
}

static double value_of(const struct decimal *d)
{
    static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->w == 0) {
        return 0;
    }
    if (!d->cut && d->w <= UINT64_C(1) << 53 && d->exponent >= -22 && d->exponent <= 22) {
        double w = (double)d->w; /* both exact: one rounding, the right one (Clinger) */
        return d->exponent < 0 ? w / ten[-d->exponent] : w * ten[d->exponent];
    }
    double v = scale(d->w, d->exponent);
    if (!d->cut) {
        return v;
    }
    double above = scale(d->w + 1, d->exponent);
    return v < above ? nearer(d, v, above) : v;
}

const char *pof_real_scan(const char *p, const char *end, enum pof_real_form form, double *out)
{
    struct decimal d;
    const char *behind = take(p, end, form, &d);
    if (!behind) {
        return p;
    }
    double v = value_of(&d);
    *out = d.negative ? -v : v;
    return behind;
}

bool pof_real_parse(struct pof_text text, double *out)
{
    const char *end = text.ptr + text.len;
    return text.len > 0 && pof_real_scan(text.ptr, end, POF_REAL_JSON, out) == end &&
           isfinite(*out);
}

double pof_real_of(uint64_t digits, int exponent)
{
    const struct decimal d = {.w = digits, .exponent = exponent};
    return value_of(&d);
}
