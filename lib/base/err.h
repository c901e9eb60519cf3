/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values.
 *
 * Every function that can fail returns 0 or a negative enum pof_code and takes a struct pof_err as
 * its last parameter. The structure is left alone on success, so one of them serves a whole chain
 * of calls. A negative *answer* (infeasible, unobservable, not verified) is not an error: it is a
 * status in the result. The library never prints: lib/cli turns a pof_err into one line on stderr.
 *
 * A message says what was found, then what was expected: "'12k' is not an integer". Lower case, no
 * full stop, the subject in single quotes. Where it happened stands in source, line and field. */
#ifndef POF_BASE_ERR_H
#define POF_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

#define POF_CHECKED __attribute__((warn_unused_result))
#define POF_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum pof_code {
    POF_OK = 0,
#define ERR(symbol, number, exit_status, text) POF_E_##symbol = -(number),
#include "base/errors.def"
#undef ERR
};

struct pof_err {
    enum pof_code code; /* 0: nothing happened */
    uint64_t line;      /* 1-based line of source; 0: not known */
    char source[256];   /* file name as the user gave it, "-" for standard input, "" unknown */
    char field[96];     /* field name or JSON pointer; "" unknown */
    char text[320];     /* what was found and what was expected */
};

/* One row of errors.def. */
struct pof_errinfo {
    const char *symbol;
    int number;
    int exit_status;
    const char *text;
};

/* Fills err (NULL allowed) with code and text and returns code, so that "return pof_fail(...)" is
 * the usual form. Location fields are cleared. */
int pof_fail(struct pof_err *err, enum pof_code code, const char *fmt, ...) POF_PRINTF(3, 4);

/* The same, with strerror(saved_errno) appended: "cannot open 'x': No such file or directory". */
int pof_fail_errno(struct pof_err *err, enum pof_code code, int saved_errno, const char *fmt, ...)
    POF_PRINTF(4, 5);

/* Adds a location to an error that has none yet; each argument may be NULL or 0 to leave that part.
 * Returns err->code, to be used as "return pof_at(err, name, line, field)". */
int pof_at(struct pof_err *err, const char *source, uint64_t line, const char *field);

/* The row of errors.def for a code; never NULL (unknown codes give the INTERNAL row). */
const struct pof_errinfo *pof_errinfo(enum pof_code code);

/* The i-th row, NULL past the end: for the manual page and the tests. */
const struct pof_errinfo *pof_errinfo_row(size_t i);

/* The more serious of two exit statuses: 70, 71, 74, 73, 66, 65, 78, then the others, 1, 0. */
int pof_exit_worse(int a, int b);

#endif
