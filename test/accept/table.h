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

/* A case; why is printed when it did not pass. A failed case is named and counted; what makes the run
 * fail is fewer cases that pass than the floor (accept_floor). */
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
    if (verdict == FAILED) {
        printf("# FAILED %s: %s: %s\n", f->name, name, why);
    } else {
        ok(true, "%s: %s", f->name, name);
    }
}

/* The run fails when fewer cases pass than did before. */
__attribute__((unused)) static void accept_floor(const struct family *f, unsigned least)
{
    ok(f->passed >= least, "%s: %u cases pass, at least %u are to", f->name, f->passed, least);
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
