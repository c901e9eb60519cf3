/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles and their texts against the C library: reading against strtod, writing against the first
 * of
 * %.15g, %.16g, %.17g that reads back equal. Random bit patterns, numbers of few digits, long texts
 * near the middle of two doubles. */
#include "num/real.h"
#include "num/rng.h"

#include "tap.h"

#include <float.h>

static const uint64_t seed = 20261122;

static double from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Does the whole text read as strtod reads it? Says where not. */
static bool reads(const char *text)
{
    double got = NAN, want = strtod(text, NULL);
    const char *end = text + strlen(text);
    bool good = pof_real_scan(text, end, POF_REAL_FREE, &got) == end && same(got, want);
    if (!good) {
        printf("# '%.60s' is read as %.17g (%a), strtod says %.17g (%a)\n", text, got, got, want,
               want);
    }
    return good;
}

/* Of fewest digits: no decimal with one digit less, above or below, reads back as v. */
static bool none_shorter(double v, const struct pof_real_digits *d)
{
    uint64_t less = d->digits / 10;
    char text[48];
    for (int i = 0; d->count > 1 && i < 2; i++) {
        snprintf(text, sizeof text, "%" PRIu64 "e%d", less + (uint64_t)i, d->exponent + 1);
        if (strtod(text, NULL) == v) {
            return false;
        }
    }
    return true;
}

/* The nearest of its length: the neighbours up and down do not read back, or lie farther away. With
 * 17 digits or fewer, long double's 64 bits do not decide a tie; printf's exact digits do. */
static bool nearest(double v, const struct pof_real_digits *d)
{
    char exact[48], ours[48];
    snprintf(exact, sizeof exact, "%.*e", d->count - 1, v);
    snprintf(ours, sizeof ours, "%" PRIu64 "e%d", d->digits, d->exponent);
    char digits[32];
    size_t n = 0;
    for (const char *p = exact; *p != 'e'; p++) {
        if (*p != '.') {
            digits[n++] = *p;
        }
    }
    digits[n] = '\0';
    /* The correctly rounded decimal of that length, unless that one reads back as another double.
     */
    return strtoull(digits, NULL, 10) == d->digits || strtod(exact, NULL) != v;
}

static size_t classic(double v, char *to, size_t size)
{
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(to, size, "%.*g", digits, v);
        if (strtod(to, NULL) == v) {
            break;
        }
    }
    return (size_t)n;
}

static bool writes(double v)
{
    char text[POF_REAL_MAX + 1], before[64];
    size_t n = pof_real_format(v, text);
    text[n] = '\0';
    double back = NAN;
    int exponent;
    bool regular = fabs(v) >= DBL_MIN && fabs(frexp(v, &exponent)) != 0.5;
    bool good = n <= POF_REAL_MAX && pof_real_parse((struct pof_text){text, n}, &back) &&
                (same(back, v) || v == 0);
    if (regular) {
        good = good && classic(v, before, sizeof before) == n && memcmp(before, text, n) == 0;
    } else {
        struct pof_real_digits d = pof_real_shortest(v);
        good = good && none_shorter(fabs(v), &d) && nearest(fabs(v), &d);
    }
    if (!good) {
        printf("# %a is written %s, read back as %a\n", v, text, back);
    }
    return good;
}

static void patterns(void)
{
    bool written = true, read = true;
    char text[64];
    for (uint64_t i = 0; i < 200000; i++) {
        double v = from_bits(pof_random(seed, 1, i));
        if (!isfinite(v)) {
            continue;
        }
        written = writes(v) && written;
        snprintf(text, sizeof text, "%.*e", (int)pof_below(pof_random(seed, 2, i), 25), v);
        read = reads(text) && read;
    }
    ok(written, "200,000 random patterns are written as by printf and read back");
    ok(read, "with 1 to 25 digits they are read as by strtod");
    bool all = true;
    for (uint64_t i = 0; i < 1000000; i++) {
        double v = from_bits(pof_random(seed, 3, i)), back = NAN;
        size_t n = isfinite(v) ? pof_real_format(v, text) : 0;
        all =
            all && (n == 0 || (pof_real_parse((struct pof_text){text, n}, &back) && same(v, back)));
    }
    ok(all, "1,000,000 random patterns return to the last bit");
}

static void edges(void)
{
    bool good = true;
    for (int e = -1074; e <= 1023; e++) {
        double v = ldexp(1, e);
        good = writes(v) && good;
        good = writes(-nextafter(v, 0)) && writes(nextafter(v, INFINITY)) && good;
    }
    ok(good, "powers of two and their neighbours");
    good = true;
    for (uint64_t i = 1; i <= 20000; i++) {
        good = writes(from_bits(i)) && good;
        good = writes(from_bits(pof_random(seed, 4, i) >> (12 + i % 40))) && good;
    }
    ok(good, "subnormal numbers");
    good = writes(DBL_MAX) && writes(DBL_MIN) && writes(0.0) && writes(-0.0);
    for (int e = -30; e <= 30; e++) {
        for (uint64_t i = 0; i < 200; i++) {
            char text[64];
            uint64_t w = pof_random(seed, 5, i) >> (pof_random(seed, 6, i) & 63);
            snprintf(text, sizeof text, "%" PRIu64 "e%d", w, e);
            good = reads(text) && writes(strtod(text, NULL)) && good;
        }
    }
    ok(good, "few digits, small exponents");
    double v = NAN;
    ok(pof_real_shortest(5e-324).digits == 5 &&
           pof_real_shortest(ldexp(1, -44)).digits == UINT64_C(5684341886080802),
       "shorter than printf where doubles are uneven");
    const char *far = "-1e400";
    ok(pof_real_scan(far, far + 6, POF_REAL_FREE, &v) == far + 6 && v == -HUGE_VAL,
       "beyond the range: an infinity for the caller");
}

/* The exact decimal of the middle of v and the next double, then a little less and more. */
static bool middle(double v)
{
    char text[2000];
    long double m = ((long double)v + (long double)nextafter(v, INFINITY)) / 2;
    int n = snprintf(text, sizeof text - 3, "%.1100Lf", m);
    bool good = reads(text);
    text[n] = '1';
    text[n + 1] = '\0';
    good = reads(text) && good;
    text[n] = '\0';
    for (int i = n - 1; i >= 0;
         i--) { /* the last digit that is not 0 becomes one less, then nines */
        if (text[i] != '0' && text[i] != '.') {
            text[i]--;
            break;
        }
        text[i] = text[i] == '.' ? '.' : '9';
    }
    return reads(text) && good;
}

static void middles(void)
{
    bool good = true;
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t bits = pof_random(seed, 7, i) & (UINT64_MAX >> 1);
        double v = from_bits(bits);
        good = isfinite(v) && v < 1e300 ? middle(v) && good : good;
        v = 1 + (double)(pof_random(seed, 8, i) >> 11) * 0x1p-53 * (double)(i % 7 + 1);
        good = middle(v) && middle(v * 1e15) && middle(v * 0x1p-1000) && good;
    }
    for (uint64_t i = 0; i < 300; i++) {
        good = middle(from_bits(i)) && middle(from_bits(pof_random(seed, 9, i) >> 13)) && good;
    }
    good = middle(nextafter(DBL_MAX, 0)) && middle(nextafter(DBL_MIN, 0)) && good;
    ok(good,
       "the middle of two doubles in all its digits goes to even, a digit more or less decides");
    static const char *const texts[] = {
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740993.00000000000000000000000001",
        "9007199254740992.99999999999999999999",
        "1e-400",
        "1e400",
        "0e99999999999",
        "-0.0e5",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "17976931348623158079372897140530341507993413271e262",
        "0."
        "00000000000000000000000000000000000000000000000000000000000000000000012345678901234567890"
        "1",
        "100000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "8388609.5e-1",
        "7.0420557077594588669468784357561207962098443483187940792729600000e+59",
        "0000000000000000000000000000000000000000000012.5",
        ".5",
        "5.",
        "+7",
        "1.e3"};
    good = true;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        good = reads(texts[i]) && good;
    }
    ok(good, "known traps");
}

static void random_texts(void)
{
    bool good = true;
    for (uint64_t i = 0; i < 30000; i++) {
        char text[1000];
        size_t n = 0, digits = 1 + (size_t)pof_below(pof_random(seed, 10, i), i % 50 ? 40 : 850);
        size_t point = (size_t)pof_below(pof_random(seed, 11, i), digits + 1);
        for (size_t k = 0; k < digits; k++) {
            if (k == point) {
                text[n++] = '.';
            }
            text[n++] = (char)('0' + pof_below(pof_random(seed, 12 + i, k), 10));
        }
        snprintf(text + n, sizeof text - n, "E%d",
                 (int)pof_below(pof_random(seed, 13, i), 700) - 350 - (int)point);
        good = reads(text) && good;
    }
    ok(good, "random texts of up to 850 digits are read as by strtod");
}

/* Where a text is no number, or ends sooner. */
static void forms(void)
{
    static const struct {
        const char *text;
        int json, free; /* how many bytes belong to the number */
    } cases[] = {{"12", 2, 2},
                 {"", 0, 0},
                 {"-", 0, 0},
                 {"+1", 0, 2},
                 {"01", 0, 2},
                 {"1.", 0, 2},
                 {".5", 0, 2},
                 {".", 0, 0},
                 {"1e", 0, 1},
                 {"1e+", 0, 1},
                 {"1d5", 1, 3},
                 {"1D-2,", 1, 4},
                 {"-0.5e-3]", 7, 7},
                 {"nan", 0, 0},
                 {"inf", 0, 0},
                 {"0x10", 1, 1},
                 {"1,5", 1, 1},
                 {"--1", 0, 0},
                 {"1.5.2", 3, 3},
                 {"1 2", 1, 1},
                 {"-.", 0, 0},
                 {"12345678", 8, 8},
                 {"1234567890123456x", 16, 16},
                 {"-e5", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double v;
        const char *p = cases[i].text, *end = p + strlen(p);
        ok(pof_real_scan(p, end, POF_REAL_JSON, &v) - p == cases[i].json &&
               pof_real_scan(p, end, POF_REAL_FREE, &v) - p == cases[i].free,
           "'%s': %d bytes are a number of JSON, %d one of any program", p, cases[i].json,
           cases[i].free);
    }
    double v = 0;
    ok(pof_real_scan("1D-2", &"1D-2"[4], POF_REAL_FREE, &v) && v == 0.01, "an exponent of Fortran");
}

int main(void)
{
    printf("# seed %" PRIu64 "\n", seed);
    patterns();
    edges();
    middles();
    random_texts();
    forms();
    return done();
}
