/* SPDX-License-Identifier: Apache-2.0 */
/* Test Anything Protocol for unit and property tests: ok(), is_int(), skip(), done(). */
#ifndef POF_TEST_TAP_H
#define POF_TEST_TAP_H

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool pass, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("%sok %d - ", pass ? "" : "not ", ++tap_count);
    vprintf(fmt, args);
    putchar('\n');
    va_end(args);
    tap_failed += !pass;
    return pass;
}

__attribute__((unused)) static bool is_int(int64_t got, int64_t want, const char *what)
{
    bool pass = ok(got == want, "%s", what);
    if (!pass) {
        printf("# got %" PRId64 ", want %" PRId64 "\n", got, want);
    }
    return pass;
}

__attribute__((unused)) static bool is_text(const char *got, size_t n, const char *want,
                                            const char *what)
{
    bool pass = ok(n == strlen(want) && memcmp(got, want, n) == 0, "%s", what);
    if (!pass) {
        printf("# got '%.*s', want '%s'\n", (int)n, got, want);
    }
    return pass;
}

__attribute__((unused)) static bool is_near(double got, double want, double tol, const char *what)
{
    bool pass = ok(fabs(got - want) <= tol, "%s", what);
    if (!pass) {
        printf("# got %.17g, want %.17g within %g\n", got, want, tol);
    }
    return pass;
}

__attribute__((unused)) static void skip(const char *what, const char *why)
{
    printf("ok %d - %s # SKIP %s\n", ++tap_count, what, why);
}

/* Where real data lie, NULL when they are not there: skip(..., "no shared data"). */
__attribute__((unused)) static const char *tap_data(void)
{
    const char *d = getenv("POF_DATA");
    return d && *d ? d : NULL;
}

/* Ends the test program: the plan, and 1 when anything failed. */
__attribute__((unused)) static int done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}

#endif
