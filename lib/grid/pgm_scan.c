/* SPDX-License-Identifier: Apache-2.0 */
#include "grid/pgm_scan.h"
#include "num/real.h"
#include "record/bytes.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

int pofi_scan_fail(struct pofi_scan *s, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    uint64_t line = 1;
    for (const char *p = s->begin; p < s->at; p++) {
        line += *p == '\n';
    }
    pof_fail(s->err, POF_E_SYNTAX, "%s", text);
    return pof_at(s->err, s->name, line, NULL);
}

bool pofi_scan_word(struct pofi_scan *s, const char *word)
{
    size_t n = strlen(word);
    pofi_scan_space(s);
    if (strncmp(s->at, word, n) != 0) {
        return false;
    }
    s->at += n;
    return true;
}

int pofi_scan_text(struct pofi_scan *s, struct pof_text *text)
{
    pofi_scan_space(s);
    if (*s->at != '"') {
        return pofi_scan_fail(s, "expected a text in double quotes");
    }
    const char *p = s->at + 1;
    while (*p != '"') {
        if ((unsigned char)*p < 0x20) {
            return pofi_scan_fail(s, "a text without its closing quote");
        }
        p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
    }
    *text = (struct pof_text){s->at + 1, (size_t)(p - s->at - 1)};
    s->at = p + 1;
    return 0;
}

/* Digits at p, appended to *w; the place behind them. */
static inline const char *digits(const char *p, uint64_t *w)
{
    uint64_t v = *w;
    for (unsigned d; (d = (unsigned char)*p - (unsigned)'0') < 10; p++) {
        v = v * 10 + d;
    }
    *w = v;
    return p;
}

/* The same behind a point, where there are often many: eight at a time. */
static inline const char *decimals(const char *p, const char *end, uint64_t *w)
{
    for (uint64_t eight; end - p >= 8 && pofi_digit_count(eight = pofi_load8(p)) == 8; p += 8) {
        *w = *w * 100000000 + pofi_eight_digits(eight);
    }
    return digits(p, w);
}

/* Zeros that a number of digits and a point begins with: not among the digits that a word must hold. */
static ptrdiff_t zeros_before(const char *first)
{
    const char *p = first;
    ptrdiff_t points = 0;
    for (; *p == '0' || *p == '.'; p++) {
        points += *p == '.';
    }
    return p - first - points;
}

/* The exponent at p; NULL: none that fits. */
static const char *exponent(const char *p, int *to)
{
    bool negative = *p == '-';
    const char *first = p + (*p == '-' || *p == '+');
    int v = 0;
    for (p = first; (unsigned char)(*p - '0') < 10 && p - first < 4; p++) {
        v = v * 10 + (*p - '0');
    }
    *to = negative ? -v : v;
    return p > first && p - first < 4 ? p : NULL;
}

/* A number of at most 19 digits, as nearly all are: the place behind it, NULL when it is something else. */
static inline const char *plain(const char *p, const char *end, double *value)
{
    enum { DIGITS = 19, EXACT = 15 };
    uint64_t w = 0;
    int power = 0;
    bool negative = *p == '-';
    const char *first = p + negative;
    const char *behind = digits(first, &w);
    ptrdiff_t whole = behind - first, fraction = 0;
    if (*behind == '.') {
        const char *point = behind++;
        behind = decimals(behind, end, &w);
        fraction = behind - point - 1;
        whole = fraction > 0 ? whole : 0;
    }
    if (whole == 0 || (*first == '0' && whole > 1) ||
        (whole + fraction > DIGITS && whole + fraction - zeros_before(first) > DIGITS)) {
        return NULL;
    }
    if ((*behind | 0x20) == 'e' && (behind = exponent(behind + 1, &power)) == NULL) {
        return NULL;
    }
    power -= (int)fraction;
    double v = power == 0 && whole <= EXACT ? (double)w : pof_real_of(w, power);
    *value = negative ? -v : v;
    return isfinite(v) ? behind : NULL;
}

bool pofi_scan_number(struct pofi_scan *s, double *value)
{
    pofi_scan_space(s);
    const char *behind = plain(s->at, s->end, value);
    if (behind) {
        s->at = behind;
        return true;
    }
    behind = pof_real_scan(s->at, s->end, POF_REAL_JSON, value);
    bool good = behind > s->at && isfinite(*value);
    s->at = good ? behind : s->at;
    return good;
}

/* One token of a value that is passed; opens or closes levels of nesting. */
static int skip_token(struct pofi_scan *s, unsigned *depth)
{
    struct pof_text text;
    double number;
    char c = pofi_scan_peek(s);
    if (c == '{' || c == '[') {
        s->at++;
        return ++*depth > DEPTH_MAX ? pofi_scan_fail(s, "nested more than %d deep", DEPTH_MAX) : 0;
    }
    if (c == '}' || c == ']') {
        s->at++;
        --*depth;
        return 0;
    }
    if (c == '"') {
        return pofi_scan_text(s, &text);
    }
    if (*depth > 0 && (c == ',' || c == ':')) {
        s->at++;
        return 0;
    }
    bool known = pofi_scan_word(s, "null") || pofi_scan_word(s, "true") ||
                 pofi_scan_word(s, "false") || pofi_scan_number(s, &number);
    return known ? 0 : pofi_scan_fail(s, "not a JSON value");
}

int pofi_scan_skip(struct pofi_scan *s)
{
    unsigned depth = 0;
    if (pofi_scan_peek(s) == '}' || *s->at == ']') {
        return pofi_scan_fail(s, "not a JSON value");
    }
    do {
        int rc = skip_token(s, &depth);
        if (rc) {
            return rc;
        }
    } while (depth > 0);
    return 0;
}

int pofi_scan_object(struct pofi_scan *s, int (*member)(void *ctx, struct pof_text name), void *ctx)
{
    if (!pofi_scan_take(s, '{')) {
        return pofi_scan_fail(s, "expected an object");
    }
    if (pofi_scan_take(s, '}')) {
        return 0;
    }
    for (;;) {
        struct pof_text name;
        int rc = pofi_scan_text(s, &name);
        if (rc == 0 && !pofi_scan_take(s, ':')) {
            rc = pofi_scan_fail(s, "no ':' behind a name");
        }
        rc = rc ? rc : member(ctx, name);
        if (rc) {
            return rc;
        }
        if (pofi_scan_take(s, '}')) {
            return 0;
        }
        if (!pofi_scan_take(s, ',')) {
            return pofi_scan_fail(s, "no ',' or '}' behind a member");
        }
    }
}
