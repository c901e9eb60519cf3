/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of MATPOWER cases. */
#include "grid/matlab.h"
#include "num/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns by the place of their names in what idx_bus, idx_gen and idx_brch return (MATPOWER 8). */
static const double idx_bus[] = {1, 2, 3,  4,  1,  2,  3,  4,  5,  6, 7,
                                 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
static const double idx_gen[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 22, 23, 24,
                                 25, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
static const double idx_brch[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                  14, 15, 16, 17, 18, 19, 12, 13, 20, 21};

/* --- statements --- */

static int end_of_statement(struct pofi_parser *p)
{
    pofi_skip_blank(p, false, NULL);
    while (pofi_peek(p) == ';' || pofi_peek(p) == ',') {
        p->at++;
        pofi_skip_blank(p, false, NULL);
    }
    return p->at == p->end || *p->at == '\n'
               ? 0
               : pofi_syntax(p, POF_E_SYNTAX, "statement not understood");
}

static int add_cell(struct pofi_parser *p, struct pofi_table *t, double v, size_t *in_row)
{
    if (t->rows > 0 && *in_row == t->cols) {
        return pof_fail(p->err, POF_E_COLUMNS, "a row has more than %zu columns", t->cols);
    }
    size_t n = t->rows * t->cols + *in_row;
    int rc = n < t->cap ? 0 : pof_grow(&t->v, &t->cap, n + 1, sizeof *t->v, p->err);
    if (rc == 0) {
        t->v[n] = v;
        ++*in_row;
    }
    return rc;
}

static int end_row(struct pofi_parser *p, struct pofi_table *t, size_t *in_row)
{
    if (*in_row == 0) {
        return 0;
    }
    if (t->rows == 0) {
        t->cols = *in_row;
    } else if (*in_row != t->cols) {
        return pof_fail(p->err, POF_E_COLUMNS, "a row has %zu columns, those before %zu", *in_row,
                        t->cols);
    }
    t->rows++;
    *in_row = 0;
    return 0;
}

/* One element: a number, or an expression without blanks, as 11/sqrt(3). */
static int element(struct pofi_parser *p, double *out)
{
    const char *end = p->end, *stop = pof_real_scan(p->at, end, POF_REAL_FREE, out);
    int depth = 0;
    if (stop > p->at && (stop == end || strchr(" \t\r\n,;]%", *stop)) && isfinite(*out)) {
        p->at = stop;
        return 0;
    }
    for (stop = p->at; stop < end && *stop != '\n'; stop++) {
        depth += (*stop == '(') - (*stop == ')');
        if (strchr(" \t\r,;]%", *stop) && depth <= 0) {
            break;
        }
    }
    if (pofi_number((struct pof_text){p->at, (size_t)(stop - p->at)}, true, out)) {
        p->at = stop;
        return 0;
    }
    p->end = stop;
    int rc = pofi_expression(p, out);
    p->end = end;
    return rc || p->at == stop ? rc : pofi_syntax(p, POF_E_NUMBER, "not a number of a matrix");
}

/* Behind "[": rows end at ';' or a newline. */
static int matrix(struct pofi_parser *p, struct pofi_table *t)
{
    size_t in_row = 0;
    int rc = 0;
    while (rc == 0) {
        pofi_skip_blank(p, false, NULL);
        char c = pofi_peek(p);
        if (p->at >= p->end) {
            return pof_fail(p->err, POF_E_TRUNCATED, "a matrix does not end");
        }
        if (c == ']') {
            p->at++;
            return end_row(p, t, &in_row);
        }
        if (c == ';' || c == '\n') {
            rc = end_row(p, t, &in_row);
            p->at++;
            p->line += rc == 0 && c == '\n';
        } else if (c == ',') {
            p->at++;
        } else {
            double v;
            rc = element(p, &v);
            rc = rc ? rc : add_cell(p, t, v, &in_row);
        }
    }
    return rc;
}

/* Behind "{": texts, which are not looked at. */
static int skip_cells(struct pofi_parser *p)
{
    bool quoted = false;
    for (; p->at < p->end; p->at++) {
        char c = *p->at;
        p->line += c == '\n';
        if (c == '\'') {
            quoted = !quoted;
        } else if (c == '\n') {
            quoted = false;
        } else if (!quoted && c == '%') {
            pofi_skip_line(p);
            p->at--;
        } else if (!quoted && c == '}') {
            p->at++;
            return 0;
        }
    }
    return pof_fail(p->err, POF_E_TRUNCATED, "a list of texts does not end");
}

/* mpc.TABLE(:, columns) = expression, for each row and column. */
static int assign_columns(struct pofi_parser *p, struct pofi_table *t)
{
    struct pofi_range r;
    int rc = pofi_take_range(p, t, &r);
    if (rc == 0 && (!r.all_rows || !pofi_take(p, '='))) {
        rc = pofi_syntax(p, POF_E_SYNTAX, "only whole columns can be assigned");
    }
    const char *from = p->at;
    p->in_rows = true;
    for (p->row = 0; p->row < t->rows && rc == 0; p->row++) {
        double value[POFI_COLUMNS_MAX]; /* all values of a row before any is assigned */
        for (p->column = 0; p->column < r.n && rc == 0; p->column++) {
            p->at = from;
            rc = pofi_expression(p, &value[p->column]);
        }
        for (size_t i = 0; i < r.n && rc == 0; i++) {
            t->v[p->row * t->cols + r.column[i] - 1] = value[i];
        }
    }
    p->in_rows = false;
    return rc;
}

static int assign_text(struct pofi_parser *p, struct pof_text name)
{
    const char *from = ++p->at;
    while (p->at < p->end && *p->at != '\'' && *p->at != '\n') {
        p->at++;
    }
    struct pof_text value = {from, (size_t)(p->at - from)};
    if (pofi_peek(p) != '\'') {
        return pofi_syntax(p, POF_E_SYNTAX, "a text does not end");
    }
    p->at++;
    if (pof_text_is(name, "version") && !pof_text_is(value, "2")) {
        return pof_fail(p->err, POF_E_SCHEMA, "case format version '%.*s'; only version 2 is read",
                        (int)(value.len < 20 ? value.len : 20), value.ptr);
    }
    return 0;
}

/* A field this reader has no use for is noted, so that it can be told. */
static void note_left_out(struct pofi_parser *p, struct pof_text name)
{
    p->c->dc_lines |= pof_text_is(name, "dcline");
    if (p->c->left_out++ == 0) {
        p->c->left = name;
    }
}

static int assign_field(struct pofi_parser *p)
{
    p->at += strlen("mpc.");
    struct pof_text name = pofi_take_name(p);
    struct pofi_table *t = NULL;
    for (int i = 0; i < POFI_TABLES; i++) {
        t = pof_text_is(name, pofi_table_name[i]) ? &p->c->table[i] : t;
    }
    pofi_skip_blank(p, false, NULL);
    if (t && pofi_peek(p) == '(' && t->rows > 0) {
        return assign_columns(p, t);
    }
    if (!pofi_take(p, '=')) {
        return pofi_syntax(p, POF_E_SYNTAX, "statement not understood");
    }
    pofi_skip_blank(p, false, NULL);
    if (pofi_peek(p) == '\'') {
        return assign_text(p, name);
    }
    if (t && t->rows > 0) {
        return pof_fail(p->err, POF_E_DUPLICATE, "mpc.%s is given twice",
                        pofi_table_name[t - p->c->table]);
    }
    struct pofi_table unused = {0};
    int rc;
    if (pofi_take(p, '[')) {
        rc = matrix(p, t ? t : &unused);
    } else if (pofi_take(p, '{')) {
        rc = skip_cells(p);
    } else {
        double value;
        rc = pofi_expression(p, &value);
        if (rc == 0 && pof_text_is(name, "baseMVA")) {
            p->c->base_mva = value;
            return 0;
        }
    }
    free(unused.v);
    if (rc == 0 && !t) {
        note_left_out(p, name);
    }
    return rc;
}

/* Behind "= ": which list of columns. */
static const double *take_columns(struct pofi_parser *p, size_t *n)
{
    static const struct {
        const char *name;
        const double *column;
        size_t n;
    } lists[] = {{"idx_bus", idx_bus, sizeof idx_bus / sizeof idx_bus[0]},
                 {"idx_gen", idx_gen, sizeof idx_gen / sizeof idx_gen[0]},
                 {"idx_brch", idx_brch, sizeof idx_brch / sizeof idx_brch[0]}};
    pofi_skip_blank(p, false, NULL);
    struct pof_text of = pofi_take_name(p);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (pof_text_is(of, lists[i].name)) {
            *n = lists[i].n;
            return lists[i].column;
        }
    }
    return NULL;
}

/* [PQ, PV, ...] = idx_bus; and the same of idx_gen and idx_brch. */
static int index_names(struct pofi_parser *p)
{
    struct pof_text name[POFI_COLUMNS_MAX];
    size_t n = 0, most = 0;
    p->at++;
    while (!pofi_take(p, ']')) {
        pofi_skip_blank(p, false, NULL);
        name[n] = pofi_take_name(p);
        if (name[n].len == 0 || ++n == POFI_COLUMNS_MAX) {
            return pofi_syntax(p, POF_E_SYNTAX, "expected names of columns");
        }
        (void)pofi_take(p, ',');
    }
    const double *column = pofi_take(p, '=') ? take_columns(p, &most) : NULL;
    if (!column || n > most) {
        return pofi_syntax(p, POF_E_SYNTAX, "statement not understood");
    }
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = pofi_set_scalar(p, name[i], column[i]);
    }
    return rc;
}

static int statement(struct pofi_parser *p)
{
    if (pofi_starts(p, "mpc.")) {
        return assign_field(p);
    }
    if (pofi_peek(p) == '[') {
        return index_names(p);
    }
    struct pof_text name = pofi_take_name(p);
    if (pof_text_is(name, "function")) {
        while (pofi_peek(p) != '=' && pofi_peek(p) != '\n' && p->at < p->end) {
            p->at++;
        }
        if (pofi_take(p, '=')) {
            pofi_skip_blank(p, false, NULL);
            p->c->name = pofi_take_name(p);
        }
        return 0;
    }
    if (pof_text_is(name, "end") || pof_text_is(name, "return")) {
        return 0;
    }
    double value;
    if (name.len == 0 || !pofi_take(p, '=')) {
        return pofi_syntax(p, POF_E_SYNTAX, "statement not understood");
    }
    int rc = pofi_expression(p, &value);
    return rc ? rc : pofi_set_scalar(p, name, value);
}

int pofi_mcase_parse(struct pofi_mcase *c, struct pof_text text, const char *name,
                     struct pof_err *err)
{
    *c = (struct pofi_mcase){0};
    struct pofi_parser p = {
        .c = c, .at = text.ptr, .end = text.ptr + text.len, .line = 1, .err = err};
    int rc = 0;
    for (;;) {
        pofi_skip_blank(&p, true, text.ptr);
        while (pofi_peek(&p) == ';' || pofi_peek(&p) == ',') {
            p.at++;
        }
        if (p.at >= p.end) {
            break;
        }
        if (pofi_peek(&p) == '\n' || pofi_peek(&p) == ' ' || pofi_peek(&p) == '%') {
            continue;
        }
        rc = statement(&p);
        rc = rc ? rc : end_of_statement(&p);
        if (rc) {
            pof_at(err, name, p.line, NULL);
            pofi_mcase_release(c);
            return rc;
        }
    }
    return 0;
}

void pofi_mcase_release(struct pofi_mcase *c)
{
    for (int i = 0; i < POFI_TABLES; i++) {
        free(c->table[i].v);
    }
    *c = (struct pofi_mcase){0};
}
