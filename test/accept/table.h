/* SPDX-License-Identifier: Apache-2.0 */
/* What an acceptance run of one family of cases came to. Each case is a line of TAP; in the end a
 * table, and one line that other programs can find. */
#ifndef POF_ACCEPT_TABLE_H
#define POF_ACCEPT_TABLE_H

#include "../tap.h"

enum verdict { PASSED, FAILED, UNSUPPORTED };

struct family {
    const char *name;
    unsigned passed, failed, unsupported;
};

/* A case; why is printed when it did not pass. What is not supported does not fail the run, it is
 * counted. */
__attribute__((unused)) static void accept_case(struct family *f, const char *name,
                                                enum verdict verdict, const char *why)
{
    if (verdict == UNSUPPORTED) {
        f->unsupported++;
        skip(name, why);
        return;
    }
    f->passed += verdict == PASSED;
    f->failed += verdict == FAILED;
    if (!ok(verdict == PASSED, "%s: %s", f->name, name)) {
        printf("# %s\n", why);
    }
}

__attribute__((unused)) static void accept_table(const struct family *f, size_t n)
{
    printf("# %-24s %6s %7s %7s %14s\n", "family", "cases", "passed", "failed", "not supported");
    for (size_t i = 0; i < n; i++) {
        printf("# %-24s %6u %7u %7u %14u\n", f[i].name, f[i].passed + f[i].failed + f[i].unsupported,
               f[i].passed, f[i].failed, f[i].unsupported);
    }
    for (size_t i = 0; i < n; i++) {
        printf("# accept family=%s passed=%u failed=%u unsupported=%u\n", f[i].name, f[i].passed,
               f[i].failed, f[i].unsupported);
    }
}

#endif
