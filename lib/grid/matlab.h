/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the MATLAB language in which MATPOWER cases are written: matrices of numbers, scalar
 * expressions, and assignments of whole columns, by which some distribution cases turn ohm into p.u.
 * and kW into MW. A reader that ignored those would make a wrong grid that still converges, so every
 * statement is either carried out or refused. */
#ifndef POF_GRID_MATLAB_H
#define POF_GRID_MATLAB_H

#include "grid/format_impl.h"

enum { POFI_NAME_MAX = 32, POFI_SCALARS = 128, POFI_COLUMNS_MAX = 32 };

struct pofi_scalar {
    char name[POFI_NAME_MAX];
    double value;
};

struct pofi_parser {
    struct pofi_mcase *c;
    const char *at, *end;
    uint64_t line;
    struct pofi_scalar scalar[POFI_SCALARS];
    size_t scalars;
    int nesting;
    /* Where ":" stands for one row, and a list of columns for one of them. */
    size_t row, column;
    bool in_rows;
    struct pof_err *err;
};

/* "(" rows "," columns ")" behind mpc.TABLE: a list of columns (from 1) and one row or all. */
struct pofi_range {
    bool all_rows;
    size_t row;
    size_t column[POFI_COLUMNS_MAX];
    size_t n;
};

extern const char *const pofi_table_name[POFI_TABLES];

/* An error with what stands at the present place. */
int pofi_syntax(struct pofi_parser *p, enum pof_code code, const char *what);
/* The byte at the present place, NUL at the end; does a word stand there? */
char pofi_peek(const struct pofi_parser *p);
bool pofi_starts(const struct pofi_parser *p, const char *word);
void pofi_skip_line(struct pofi_parser *p);
/* Blanks, continuations ("..." to the end of the line) and comments; newlines too when asked. start
 * is the begin of the text where block comments are looked for, else NULL. */
void pofi_skip_blank(struct pofi_parser *p, bool newlines, const char *start);
/* Skips blanks, then a character if it is c. */
bool pofi_take(struct pofi_parser *p, char c);
struct pof_text pofi_take_name(struct pofi_parser *p);
int pofi_set_scalar(struct pofi_parser *p, struct pof_text name, double value);
int pofi_take_range(struct pofi_parser *p, const struct pofi_table *t, struct pofi_range *r);
int pofi_expression(struct pofi_parser *p, double *out);

#endif
