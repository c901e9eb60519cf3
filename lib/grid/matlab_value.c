/* SPDX-License-Identifier: Apache-2.0 */
/* Characters, names and expressions of MATPOWER cases. */
#include "grid/matlab.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { NESTING_MAX = 40 };

const char *const pofi_table_name[POFI_TABLES] = {"bus", "gen", "branch"};

int pofi_syntax(struct pofi_parser *p, enum pof_code code, const char *what)
{
    int n = 0;
    while (p->at + n < p->end && n < 40 && p->at[n] != '\n') {
        n++;
    }
    return pof_fail(p->err, code, "%s at '%.*s'", what, n, p->at);
}

/* --- characters --- */

char pofi_peek(const struct pofi_parser *p)
{
    return p->at < p->end ? *p->at : '\0';
}

void pofi_skip_line(struct pofi_parser *p)
{
    while (p->at < p->end && *p->at != '\n') {
        p->at++;
    }
}

bool pofi_starts(const struct pofi_parser *p, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(p->end - p->at) >= n && memcmp(p->at, word, n) == 0;
}

/* Is only blank around what stands at p->at on its line? For block comments. */
static bool alone_on_line(const struct pofi_parser *p, const char *start, size_t n)
{
    const char *before = p->at, *after = p->at + n;
    while (before > start && (before[-1] == ' ' || before[-1] == '\t')) {
        before--;
    }
    while (after < p->end && (*after == ' ' || *after == '\t' || *after == '\r')) {
        after++;
    }
    return (before == start || before[-1] == '\n') && (after == p->end || *after == '\n');
}

static void skip_block_comment(struct pofi_parser *p, const char *start)
{
    int depth = 0;
    for (; p->at < p->end; p->at++) {
        if ((pofi_starts(p, "%{") || pofi_starts(p, "%}")) && alone_on_line(p, start, 2)) {
            depth += p->at[1] == '{' ? 1 : -1;
            if (depth == 0) {
                p->at += 2;
                return;
            }
        }
        p->line += *p->at == '\n';
    }
}

void pofi_skip_blank(struct pofi_parser *p, bool newlines, const char *start)
{
    for (;;) {
        char c = pofi_peek(p);
        if (p->at >= p->end) {
            return;
        }
        if (c == ' ' || c == '\t' || c == '\r') {
            p->at++;
        } else if (pofi_starts(p, "...")) {
            pofi_skip_line(p);
            p->at += p->at < p->end;
            p->line++;
        } else if (pofi_starts(p, "%{") && start && alone_on_line(p, start, 2)) {
            skip_block_comment(p, start);
        } else if (c == '%') {
            pofi_skip_line(p);
        } else if (c == '\n' && newlines) {
            p->at++;
            p->line++;
        } else {
            return;
        }
    }
}

bool pofi_take(struct pofi_parser *p, char c)
{
    pofi_skip_blank(p, false, NULL);
    if (pofi_peek(p) != c) {
        return false;
    }
    p->at++;
    return true;
}

struct pof_text pofi_take_name(struct pofi_parser *p)
{
    const char *from = p->at;
    if (isalpha((unsigned char)pofi_peek(p)) || pofi_peek(p) == '_') {
        while (p->at < p->end && (isalnum((unsigned char)*p->at) || *p->at == '_')) {
            p->at++;
        }
    }
    return (struct pof_text){from, (size_t)(p->at - from)};
}

/* Letters, digits, points, and signs behind an exponent. */
static bool take_number(struct pofi_parser *p, double *out)
{
    const char *from = p->at;
    while (p->at < p->end && (isalnum((unsigned char)*p->at) || *p->at == '.')) {
        bool exponent = strchr("eEdD", *p->at) && p->at > from && isdigit((unsigned char)p->at[-1]);
        p->at++;
        if (exponent && (pofi_peek(p) == '-' || pofi_peek(p) == '+')) {
            p->at++;
        }
    }
    bool good = pofi_number((struct pof_text){from, (size_t)(p->at - from)}, true, out);
    if (!good) {
        p->at = from;
    }
    return good;
}

/* --- scalars --- */

static double *find_scalar(struct pofi_parser *p, struct pof_text name)
{
    for (size_t i = 0; i < p->scalars; i++) {
        if (pof_text_is(name, p->scalar[i].name)) {
            return &p->scalar[i].value;
        }
    }
    return NULL;
}

int pofi_set_scalar(struct pofi_parser *p, struct pof_text name, double value)
{
    double *known = find_scalar(p, name);
    if (known) {
        *known = value;
        return 0;
    }
    if (p->scalars == POFI_SCALARS || name.len >= POFI_NAME_MAX) {
        return pof_fail(p->err, POF_E_TOO_LONG, "too many or too long names of scalars");
    }
    struct pofi_scalar *s = &p->scalar[p->scalars++];
    memcpy(s->name, name.ptr, name.len);
    s->name[name.len] = '\0';
    s->value = value;
    return 0;
}

/* --- expressions --- */

static int take_index(struct pofi_parser *p, size_t most, size_t *out)
{
    double v;
    int rc = pofi_expression(p, &v);
    if (rc) {
        return rc;
    }
    if (!(v >= 1) || v > (double)most || v != floor(v)) {
        return pof_fail(p->err, POF_E_RANGE, "index %.15g is not in 1 .. %zu", v, most);
    }
    *out = (size_t)v;
    return 0;
}

int pofi_take_range(struct pofi_parser *p, const struct pofi_table *t, struct pofi_range *r)
{
    *r = (struct pofi_range){0};
    if (!pofi_take(p, '(')) {
        return pofi_syntax(p, POF_E_SYNTAX, "expected '(' and a place in the table");
    }
    r->all_rows = pofi_take(p, ':');
    int rc = r->all_rows ? 0 : take_index(p, t->rows, &r->row);
    if (rc == 0 && !pofi_take(p, ',')) {
        rc = pofi_syntax(p, POF_E_SYNTAX, "expected ','");
    }
    bool list = rc == 0 && pofi_take(p, '[');
    do {
        if (r->n == POFI_COLUMNS_MAX) {
            return pofi_syntax(p, POF_E_TOO_LONG, "too many columns");
        }
        rc = rc ? rc : take_index(p, t->cols, &r->column[r->n++]);
        if (rc == 0 && list) {
            (void)pofi_take(p, ',');
            pofi_skip_blank(p, false, NULL);
        }
    } while (rc == 0 && list && pofi_peek(p) != ']');
    if (rc == 0 && list) {
        p->at++;
    }
    return rc || pofi_take(p, ')') ? rc : pofi_syntax(p, POF_E_SYNTAX, "expected ')'");
}

static const struct pofi_table *find_table(const struct pofi_parser *p, struct pof_text name)
{
    for (int i = 0; i < POFI_TABLES; i++) {
        if (pof_text_is(name, pofi_table_name[i]) && p->c->table[i].rows > 0) {
            return &p->c->table[i];
        }
    }
    return NULL;
}

/* mpc.baseMVA, mpc.bus(1, BASE_KV), or inside an assignment to rows mpc.bus(:, PD). */
static int case_value(struct pofi_parser *p, double *out)
{
    p->at += strlen("mpc.");
    struct pof_text name = pofi_take_name(p);
    if (pof_text_is(name, "baseMVA") && p->c->base_mva > 0) {
        *out = p->c->base_mva;
        return 0;
    }
    const struct pofi_table *t = find_table(p, name);
    if (!t) {
        return pofi_syntax(p, POF_E_REFERENCE, "no such field of the case");
    }
    struct pofi_range r;
    int rc = pofi_take_range(p, t, &r);
    if (rc) {
        return rc;
    }
    if (r.all_rows ? !p->in_rows || p->row >= t->rows : r.n != 1) {
        return pofi_syntax(p, POF_E_SYNTAX, "a value with rows of its own is not understood");
    }
    if (r.n > 1 && p->column >= r.n) {
        return pofi_syntax(p, POF_E_SYNTAX, "the numbers of columns do not fit");
    }
    size_t row = r.all_rows ? p->row : r.row - 1;
    size_t column = r.column[r.n > 1 ? p->column : 0] - 1;
    *out = t->v[row * t->cols + column];
    return 0;
}

static int call_function(struct pofi_parser *p, struct pof_text name, double *out)
{
    static const struct {
        const char *name;
        double (*of)(double);
    } functions[] = {{"sin", sin}, {"cos", cos}, {"tan", tan}, {"acos", acos}, {"asin", asin},
                     {"atan", atan}, {"sqrt", sqrt}, {"abs", fabs}};
    double *known = find_scalar(p, name);
    if (known || pof_text_is(name, "pi")) {
        *out = known ? *known : 3.14159265358979323846;
        return 0;
    }
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (pof_text_is(name, functions[i].name) && pofi_take(p, '(')) {
            int rc = pofi_expression(p, out);
            *out = rc ? 0 : functions[i].of(*out);
            return rc || pofi_take(p, ')') ? rc : pofi_syntax(p, POF_E_SYNTAX, "expected ')'");
        }
    }
    return pof_fail(p->err, POF_E_REFERENCE, "'%.*s' is not a name this reader knows",
                    (int)(name.len < 40 ? name.len : 40), name.ptr);
}

static int primary(struct pofi_parser *p, double *out)
{
    pofi_skip_blank(p, false, NULL);
    if (pofi_take(p, '(')) {
        int rc = pofi_expression(p, out);
        return rc || pofi_take(p, ')') ? rc : pofi_syntax(p, POF_E_SYNTAX, "expected ')'");
    }
    if (pofi_starts(p, "mpc.")) {
        return case_value(p, out);
    }
    if (isdigit((unsigned char)pofi_peek(p)) || pofi_peek(p) == '.') {
        return take_number(p, out) ? 0 : pofi_syntax(p, POF_E_NUMBER, "not a number");
    }
    struct pof_text name = pofi_take_name(p);
    return name.len ? call_function(p, name, out) : pofi_syntax(p, POF_E_SYNTAX, "expected a value");
}

static int power(struct pofi_parser *p, double *out)
{
    int rc = primary(p, out);
    while (rc == 0 && (pofi_take(p, '^') || (pofi_starts(p, ".^") && (p->at += 2)))) {
        double exponent;
        rc = primary(p, &exponent);
        *out = rc ? 0 : pow(*out, exponent);
    }
    return rc;
}

static int factor(struct pofi_parser *p, double *out)
{
    bool minus = false;
    for (;;) {
        if (pofi_take(p, '-')) {
            minus = !minus;
        } else if (!pofi_take(p, '+')) {
            break;
        }
    }
    int rc = power(p, out);
    *out = rc == 0 && minus ? -*out : *out;
    return rc;
}

/* One of the operators a or b, with a point before it or without; '\0' for neither. */
static char take_operator(struct pofi_parser *p, char a, char b)
{
    pofi_skip_blank(p, false, NULL);
    size_t point = pofi_peek(p) == '.' && p->at + 1 < p->end ? 1 : 0;
    char c = p->at + point < p->end ? p->at[point] : '\0';
    if (c != a && c != b) {
        return '\0';
    }
    p->at += point + 1;
    return c;
}

static int term(struct pofi_parser *p, double *out)
{
    int rc = factor(p, out);
    char op;
    while (rc == 0 && (op = take_operator(p, '*', '/')) != '\0') {
        double other;
        rc = factor(p, &other);
        *out = rc ? 0 : op == '*' ? *out * other : *out / other;
    }
    return rc;
}

int pofi_expression(struct pofi_parser *p, double *out)
{
    *out = 0;
    if (++p->nesting > NESTING_MAX) {
        return pof_fail(p->err, POF_E_DEPTH, "an expression is nested too deeply");
    }
    int rc = term(p, out);
    char op;
    while (rc == 0 && (op = take_operator(p, '+', '-')) != '\0') {
        double other;
        rc = term(p, &other);
        *out = rc ? 0 : op == '+' ? *out + other : *out - other;
    }
    p->nesting--;
    return rc;
}
