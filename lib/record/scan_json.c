/* SPDX-License-Identifier: Apache-2.0 */
/* One flat JSON object a line, strictly by RFC 8259, numbers kept as text. jansson reads the same
 * lines thirty times slower and turns decimals into doubles; test/prop/record_reader.c holds the
 * two against each other. */
#include "record/scan.h"

#include <string.h>

struct cursor {
    const char *p;
    const char *end;
    struct pofi_line *out;
};

static int syntax(const struct cursor *c, const char *expected, struct pof_err *err)
{
    if (c->p >= c->end) {
        return pof_fail(err, POF_E_TRUNCATED, "the line ends, expected %s", expected);
    }
    return pof_fail(err, POF_E_SYNTAX, "'%.*s' found, expected %s",
                    (int)(c->end - c->p < 20 ? c->end - c->p : 20), c->p, expected);
}

static void blanks(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r' || *c->p == '\n')) {
        c->p++;
    }
}

static bool hex4(const char *p, const char *end, unsigned *out)
{
    unsigned v = 0;
    if (end - p < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char ch = p[i];
        unsigned d;
        if (ch >= '0' && ch <= '9') {
            d = (unsigned)(ch - '0');
        } else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f') {
            d = (unsigned)((ch | 0x20) - 'a' + 10);
        } else {
            return false;
        }
        v = v * 16 + d;
    }
    *out = v;
    return true;
}

static size_t put_utf8(char *to, unsigned u)
{
    if (u < 0x80) {
        to[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        to[0] = (char)(0xc0 | (u >> 6));
        to[1] = (char)(0x80 | (u & 0x3f));
        return 2;
    }
    if (u < 0x10000) {
        to[0] = (char)(0xe0 | (u >> 12));
        to[1] = (char)(0x80 | ((u >> 6) & 0x3f));
        to[2] = (char)(0x80 | (u & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | (u >> 18));
    to[1] = (char)(0x80 | ((u >> 12) & 0x3f));
    to[2] = (char)(0x80 | ((u >> 6) & 0x3f));
    to[3] = (char)(0x80 | (u & 0x3f));
    return 4;
}

/* \uXXXX, pairs of surrogates joined; c->p stands behind the 'u'. */
static int unescape_unicode(struct cursor *c, char *to, size_t *n, struct pof_err *err)
{
    unsigned u;
    unsigned low;
    if (!hex4(c->p, c->end, &u)) {
        return syntax(c, "four hexadecimal digits", err);
    }
    c->p += 4;
    if (u == 0) {
        return pof_fail(err, POF_E_NUL, "\\u0000 in a string");
    }
    if (u >= 0xd800 && u < 0xe000) {
        if (u >= 0xdc00 || c->end - c->p < 6 || c->p[0] != '\\' || c->p[1] != 'u' ||
            !hex4(c->p + 2, c->end, &low) || low < 0xdc00 || low >= 0xe000) {
            return pof_fail(err, POF_E_ENCODING, "half of a surrogate pair in a string");
        }
        c->p += 6;
        u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
    }
    *n += put_utf8(to + *n, u);
    return 0;
}

/* The rest of a string that holds escapes; what went before is copied too. Room is reserved for
 * the whole line beforehand, and unescaping never lengthens, so earlier views stay where they are. */
static int escaped_string(struct cursor *c, const char *start, struct pof_text *out,
                          struct pof_err *err)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    struct pof_buf *b = &c->out->scratch;
    char *text = b->data + b->len;
    size_t n = (size_t)(c->p - start);
    memcpy(text, start, n);
    while (c->p < c->end && *c->p != '"') {
        if ((unsigned char)*c->p < 0x20) {
            return syntax(c, "no control character in a string", err);
        }
        if (*c->p != '\\') {
            text[n++] = *c->p++;
            continue;
        }
        c->p++;
        if (c->p == c->end) {
            return syntax(c, "an escape", err);
        }
        const char *known = *c->p ? strchr(from, *c->p) : NULL;
        if (known) {
            text[n++] = to[known - from];
            c->p++;
        } else if (*c->p == 'u') {
            c->p++;
            int rc = unescape_unicode(c, text, &n, err);
            if (rc) {
                return rc;
            }
        } else {
            return syntax(c, "an escape of JSON", err);
        }
    }
    if (c->p == c->end) {
        return syntax(c, "'\"'", err);
    }
    c->p++;
    b->len += n;
    *out = (struct pof_text){text, n};
    return 0;
}

/* A string; c->p stands behind its opening quote. */
static int string(struct cursor *c, struct pof_text *out, struct pof_err *err)
{
    const char *start = c->p;
    while (c->p < c->end && *c->p != '"' && *c->p != '\\' && (unsigned char)*c->p >= 0x20) {
        c->p++;
    }
    if (c->p < c->end && *c->p == '"') {
        *out = (struct pof_text){start, (size_t)(c->p - start)};
        c->p++;
        return 0;
    }
    return escaped_string(c, start, out, err);
}

static bool is_digit(const struct cursor *c)
{
    return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static int digits(struct cursor *c, struct pof_err *err)
{
    if (!is_digit(c)) {
        return syntax(c, "a digit", err);
    }
    while (is_digit(c)) {
        c->p++;
    }
    return 0;
}

static int number(struct cursor *c, struct pof_text *out, struct pof_err *err)
{
    const char *start = c->p;
    int rc = 0;
    if (*c->p == '-') {
        c->p++;
    }
    if (c->p < c->end && *c->p == '0') {
        c->p++;
    } else if ((rc = digits(c, err)) != 0) {
        return rc;
    }
    if (is_digit(c)) {
        return syntax(c, "no digit behind a leading zero", err);
    }
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if ((rc = digits(c, err)) != 0) {
            return rc;
        }
    }
    if (c->p < c->end && (*c->p | 0x20) == 'e') {
        c->p++;
        if (c->p < c->end && (*c->p == '+' || *c->p == '-')) {
            c->p++;
        }
        if ((rc = digits(c, err)) != 0) {
            return rc;
        }
    }
    *out = (struct pof_text){start, (size_t)(c->p - start)};
    return 0;
}

static bool literal(struct cursor *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0) {
        return false;
    }
    c->p += n;
    return true;
}

/* A value that is not an object or array. */
static int scalar(struct cursor *c, struct pofi_value *v, struct pof_err *err)
{
    const char *start = c->p;
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        v->kind = POFI_STRING;
        return string(c, &v->text, err);
    }
    if (c->p < c->end && (*c->p == '-' || (*c->p >= '0' && *c->p <= '9'))) {
        v->kind = POFI_NUMBER;
        return number(c, &v->text, err);
    }
    if (literal(c, "true") || literal(c, "false")) {
        v->kind = POFI_WORD;
    } else if (literal(c, "null")) {
        v->kind = POFI_NULL;
    } else {
        return syntax(c, "a value", err);
    }
    v->text = (struct pof_text){start, (size_t)(c->p - start)};
    return 0;
}

static int member_name(struct cursor *c, struct pof_text *name, struct pof_err *err)
{
    blanks(c);
    if (c->p >= c->end || *c->p != '"') {
        return syntax(c, "a member name in quotes", err);
    }
    c->p++;
    int rc = string(c, name, err);
    if (rc) {
        return rc;
    }
    blanks(c);
    if (c->p >= c->end || *c->p != ':') {
        return syntax(c, "':'", err);
    }
    c->p++;
    blanks(c);
    return 0;
}

/* Walks over a nested value, checking its form. stack holds the open brackets. */
static int nested(struct cursor *c, struct pofi_value *v, struct pof_err *err)
{
    char stack[POFI_DEPTH];
    size_t depth = 0;
    const char *start = c->p;
    struct pofi_value ignored;
    int rc = 0;
    bool want_value = true; /* a value must come next, or the end of a container just opened */
    do {
        blanks(c);
        if (c->p >= c->end) {
            return syntax(c, "the end of a nested value", err);
        }
        if (want_value && (*c->p == '{' || *c->p == '[')) {
            if (depth == POFI_DEPTH) {
                return pof_fail(err, POF_E_DEPTH, "more than %d levels", POFI_DEPTH);
            }
            char closing = *c->p == '{' ? '}' : ']';
            stack[depth++] = closing;
            c->p++;
            blanks(c);
            if (c->p < c->end && *c->p == closing) {
                want_value = false;
            } else if (closing == '}' && (rc = member_name(c, &ignored.name, err)) != 0) {
                return rc;
            }
        } else if (want_value) {
            if ((rc = scalar(c, &ignored, err)) != 0) {
                return rc;
            }
            want_value = false;
        } else if (*c->p == stack[depth - 1]) {
            c->p++;
            depth--;
        } else if (*c->p == ',') {
            c->p++;
            want_value = true;
            if (stack[depth - 1] == '}' && (rc = member_name(c, &ignored.name, err)) != 0) {
                return rc;
            }
        } else {
            return syntax(c, "',' or a closing bracket", err);
        }
    } while (depth > 0);
    v->kind = POFI_NESTED;
    v->text = (struct pof_text){start, (size_t)(c->p - start)};
    return 0;
}

static int member(struct cursor *c, struct pof_err *err)
{
    struct pofi_line *out = c->out;
    if (out->n == POFI_MEMBERS) {
        return pof_fail(err, POF_E_TOO_LONG, "more than %d members", POFI_MEMBERS);
    }
    struct pofi_value *v = &out->value[out->n];
    int rc = member_name(c, &v->name, err);
    if (rc) {
        return rc;
    }
    rc = c->p < c->end && (*c->p == '{' || *c->p == '[') ? nested(c, v, err) : scalar(c, v, err);
    out->n += rc == 0;
    return rc;
}

/* Names already seen are few: a comparison of lengths settles nearly all pairs. */
static int no_duplicates(const struct pofi_line *line, struct pof_err *err)
{
    for (size_t i = 1; i < line->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (pof_text_eq(line->value[i].name, line->value[k].name)) {
                pof_fail(err, POF_E_DUPLICATE, "member '%.*s' is given twice",
                         (int)(line->value[i].name.len < 60 ? line->value[i].name.len : 60),
                         line->value[i].name.ptr);
                return err ? err->code : POF_E_DUPLICATE;
            }
        }
    }
    return 0;
}

int pofi_scan_json(struct pofi_line *out, struct pof_text line, struct pof_err *err)
{
    out->n = 0;
    out->scratch.len = 0;
    int rc = pof_buf_reserve(&out->scratch, line.len + 1, err);
    if (rc) {
        return rc;
    }
    struct cursor c = {line.ptr, line.ptr + line.len, out};
    blanks(&c);
    if (c.p >= c.end || *c.p != '{') {
        return syntax(&c, "one JSON object a line", err);
    }
    c.p++;
    blanks(&c);
    bool more = !(c.p < c.end && *c.p == '}');
    while (more) {
        if ((rc = member(&c, err)) != 0) {
            return rc;
        }
        blanks(&c);
        more = c.p < c.end && *c.p == ',';
        c.p += more;
    }
    if (c.p >= c.end || *c.p != '}') {
        return syntax(&c, "',' or '}'", err);
    }
    c.p++;
    blanks(&c);
    if (c.p < c.end) {
        return syntax(&c, "the end of the line", err);
    }
    return no_duplicates(out, err);
}
