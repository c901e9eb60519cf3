/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct pof_errinfo rows[] = {
#define ERR(symbol, number, exit_status, text) {#symbol, number, exit_status, text},
#include "base/errors.def"
#undef ERR
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static void set_text(char *to, size_t size, const char *from)
{
    size_t n = strlen(from);
    if (n >= size) {
        n = size - 1;
    }
    memcpy(to, from, n);
    to[n] = '\0';
}

/* Control bytes would let an input write on the user's terminal. */
static void tame(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

POF_PRINTF(3, 0)
static void fill(struct pof_err *err, enum pof_code code, const char *fmt, va_list args)
{
    err->code = code;
    err->line = 0;
    err->source[0] = '\0';
    err->field[0] = '\0';
    vsnprintf(err->text, sizeof err->text, fmt, args);
}

int pof_fail(struct pof_err *err, enum pof_code code, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        fill(err, code, fmt, args);
        va_end(args);
        tame(err->text);
    }
    return code;
}

int pof_fail_errno(struct pof_err *err, enum pof_code code, int saved_errno, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        fill(err, code, fmt, args);
        va_end(args);
        size_t n = strlen(err->text);
        snprintf(err->text + n, sizeof err->text - n, ": %s", strerror(saved_errno));
        tame(err->text);
    }
    return code;
}

int pof_at(struct pof_err *err, const char *source, uint64_t line, const char *field)
{
    if (!err) {
        return POF_E_INTERNAL;
    }
    if (source && !err->source[0]) {
        set_text(err->source, sizeof err->source, source);
        tame(err->source);
    }
    if (line && !err->line) {
        err->line = line;
    }
    if (field && !err->field[0]) {
        set_text(err->field, sizeof err->field, field);
        tame(err->field);
    }
    return err->code;
}

const struct pof_errinfo *pof_errinfo_row(size_t i)
{
    return i < ROWS ? &rows[i] : NULL;
}

const struct pof_errinfo *pof_errinfo(enum pof_code code)
{
    const struct pof_errinfo *internal = &rows[0];
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].number == -(int)code) {
            return &rows[i];
        }
        if (rows[i].number == -POF_E_INTERNAL) {
            internal = &rows[i];
        }
    }
    return internal;
}

/* Smaller is worse. A status of another program (pof-log hands one on) stands before 1. */
static int rank(int status)
{
    static const int order[] = {70, 71, 74, 73, 66, 65, 78, 77, 76, 75, 69, 2};
    enum { KNOWN = sizeof order / sizeof order[0] };
    for (int i = 0; i < KNOWN; i++) {
        if (status == order[i]) {
            return i;
        }
    }
    return status == 0 ? KNOWN + 2 : status == 1 ? KNOWN + 1 : KNOWN;
}

int pof_exit_worse(int a, int b)
{
    return rank(a) <= rank(b) ? a : b;
}
