/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a JSON text, one after the other (RFC 8259). Every function that fails has set err with
 * the line. The text must have a NUL behind its end: no token contains one, so none is run over. */
#ifndef POF_GRID_PGM_SCAN_H
#define POF_GRID_PGM_SCAN_H

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

struct pofi_scan {
    const char *at, *begin, *end;
    const char *name; /* for messages */
    struct pof_err *err;
};

/* POF_E_SYNTAX at the present line; returns it. */
int pofi_scan_fail(struct pofi_scan *s, const char *fmt, ...) POF_PRINTF(2, 3);

/* Passes white space. */
static inline void pofi_scan_space(struct pofi_scan *s)
{
    const char *p = s->at;
    while ((unsigned char)*p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) {
        p++;
    }
    s->at = p;
}
/* The next byte that is no white space; NUL at the end. */
static inline char pofi_scan_peek(struct pofi_scan *s)
{
    pofi_scan_space(s);
    return *s->at;
}
/* Passes c when it is next. */
static inline bool pofi_scan_take(struct pofi_scan *s, char c)
{
    pofi_scan_space(s);
    bool there = *s->at == c;
    s->at += there;
    return there;
}
/* null, true, false. */
bool pofi_scan_word(struct pofi_scan *s, const char *word);
/* The bytes between quotes as they are, escapes not undone. */
int pofi_scan_text(struct pofi_scan *s, struct pof_text *text) POF_CHECKED;
/* The nearest double to a JSON number that is finite; false (err not set) when there is none. */
bool pofi_scan_number(struct pofi_scan *s, double *value);
/* The same of whole numbers of up to nine digits before a comma or bracket, as ids and states are; false,
 * and nothing but white space passed, where something else stands. */
static inline bool pofi_scan_whole(struct pofi_scan *s, double *value)
{
    pofi_scan_space(s);
    const char *p = s->at;
    uint64_t w = 0;
    for (unsigned d; (d = (unsigned char)*p - (unsigned)'0') < 10; p++) {
        w = w * 10 + d;
    }
    ptrdiff_t n = p - s->at;
    if ((*p != ',' && *p != ']') || n == 0 || n > 9 || (*s->at == '0' && n > 1)) {
        return false;
    }
    *value = (double)(uint32_t)w;
    s->at = p;
    return true;
}
/* Passes any value; at most 64 levels deep. */
int pofi_scan_skip(struct pofi_scan *s) POF_CHECKED;
/* An object: each member, its name given, the scanner at its value, which it has to pass. */
int pofi_scan_object(struct pofi_scan *s, int (*member)(void *ctx, struct pof_text name),
                     void *ctx) POF_CHECKED;

#endif
