/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8785 in one pass: members are written as they come and put in order when their object ends.
 */
#include "trust/jcs.h"

#include "num/real.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* A member of an open object; places in the output buffer. */
struct pof_jcs_member {
    size_t at;        /* of the name's opening quote */
    size_t name;      /* bytes of the name between the quotes */
    size_t end;       /* behind the value */
    bool plain;       /* ASCII without escapes: bytes sort as UTF-16 units do */
    const char *text; /* of the name's first byte; set while sorting only */
};

/* An open object or array. */
struct level {
    bool object;
    bool any;     /* has a member or element */
    size_t first; /* of its members */
};

struct parser {
    struct pof_jcs *jcs;
    const char *begin;
    const char *p;
    const char *end;
    struct pof_buf *to;
    struct pof_err *err;
    struct level level[POF_JCS_DEPTH];
    int depth;
};

static int refuse(struct parser *s, enum pof_code code, const char *what)
{
    int rc = pof_fail(s->err, code, "%s", what);
    if (s->err) {
        struct pof_buf field = {0};
        if (pof_buf_addf(&field, NULL, "byte %zu", (size_t)(s->p - s->begin) + 1) == 0) {
            pof_at(s->err, NULL, 0, field.data);
        }
        pof_buf_release(&field);
    }
    return rc;
}

static void skip_space(struct parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n')) {
        s->p++;
    }
}

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* --- strings --- */

/* Four hexadecimal digits at p. */
static bool hex4(const char *p, const char *end, uint32_t *out)
{
    if (end - p < 4) {
        return false;
    }
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) {
            return false;
        }
        v = v << 4 | (uint32_t)d;
    }
    *out = v;
    return true;
}

/* The canonical form of one code point: at most 6 bytes, room is reserved. */
static void put_code_point(struct pof_buf *to, uint32_t cp)
{
    char *q = to->data + to->len;
    static const char names[] = "btn\0fr"; /* of U+0008 to U+000D; U+000B has none */
    static const char digits[] = "0123456789abcdef";
    if (cp == '"' || cp == '\\' || (cp >= 8 && cp <= 13 && cp != 11)) {
        *q++ = '\\';
        *q++ = cp >= 32 ? (char)cp : names[cp - 8];
    } else if (cp < 0x20) {
        memcpy(q, "\\u00", 4);
        q[4] = digits[cp >> 4];
        q[5] = digits[cp & 15];
        q += 6;
    } else if (cp < 0x80) {
        *q++ = (char)cp;
    } else if (cp < 0x800) {
        *q++ = (char)(0xc0 | cp >> 6);
        *q++ = (char)(0x80 | (cp & 63));
    } else if (cp < 0x10000) {
        *q++ = (char)(0xe0 | cp >> 12);
        *q++ = (char)(0x80 | (cp >> 6 & 63));
        *q++ = (char)(0x80 | (cp & 63));
    } else {
        *q++ = (char)(0xf0 | cp >> 18);
        *q++ = (char)(0x80 | (cp >> 12 & 63));
        *q++ = (char)(0x80 | (cp >> 6 & 63));
        *q++ = (char)(0x80 | (cp & 63));
    }
    to->len = (size_t)(q - to->data);
}

/* The escape behind a backslash at s->p. */
static int escape(struct parser *s)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    if (s->p + 1 >= s->end) {
        return refuse(s, POF_E_SYNTAX, "a string does not end");
    }
    const char *known = s->p[1] ? strchr(from, s->p[1]) : NULL;
    if (known) {
        put_code_point(s->to, (unsigned char)into[known - from]);
        s->p += 2;
        return 0;
    }
    uint32_t cp;
    if (s->p[1] != 'u' || !hex4(s->p + 2, s->end, &cp)) {
        return refuse(s, POF_E_SYNTAX, "an escape in a string is not one of JSON");
    }
    size_t used = 6;
    if (cp >= 0xd800 && cp <= 0xdfff) {
        uint32_t low;
        if (cp >= 0xdc00 || s->end - s->p < 12 || s->p[6] != '\\' || s->p[7] != 'u' ||
            !hex4(s->p + 8, s->end, &low) || low < 0xdc00 || low > 0xdfff) {
            return refuse(s, POF_E_ENCODING, "a lone surrogate in a string");
        }
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        used = 12;
    }
    put_code_point(s->to, cp);
    s->p += used;
    return 0;
}

/* A byte of a string that stands for itself. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* A byte of a string that does not. */
static int special(struct parser *s)
{
    if (*s->p == '\\') {
        return escape(s);
    }
    if ((unsigned char)*s->p < 0x20) {
        return refuse(s, POF_E_SYNTAX, "a control character in a string");
    }
    uint32_t cp;
    size_t n = pofi_utf8(s->p, s->end, &cp);
    if (n == 0) {
        return refuse(s, POF_E_ENCODING, "a string that is not UTF-8");
    }
    memcpy(s->to->data + s->to->len, s->p, n);
    s->to->len += n;
    s->p += n;
    return 0;
}

/* The string at s->p, its canonical form with quotes added to the output; *plain tells whether it
 * is ASCII without escapes. */
static int string(struct parser *s, bool *plain)
{
    *plain = true;
    s->p++;
    /* An input byte gives at most 6 output bytes (a control character as \u00xx cannot stand raw,
     * so in fact at most itself; \b of 6 bytes shrinks). */
    int rc = pof_buf_reserve(s->to, (size_t)(s->end - s->p) + 8, s->err);
    if (rc) {
        return rc;
    }
    s->to->data[s->to->len++] = '"';
    while (s->p < s->end) {
        const char *from = s->p;
        while (s->p < s->end && is_plain((unsigned char)*s->p)) {
            s->p++;
        }
        memcpy(s->to->data + s->to->len, from, (size_t)(s->p - from));
        s->to->len += (size_t)(s->p - from);
        if (s->p < s->end && *s->p == '"') {
            s->p++;
            s->to->data[s->to->len++] = '"';
            return 0;
        }
        *plain = false;
        rc = s->p < s->end ? special(s) : 0;
        if (rc) {
            return rc;
        }
    }
    return refuse(s, POF_E_SYNTAX, "a string does not end");
}

/* --- numbers --- */

/* What the text of a number looks like. */
struct shape {
    struct pof_text text;
    bool point;
    bool exponent;
    bool zero;          /* no digit other than 0 */
    size_t significant; /* digits from the first that is not 0 */
    size_t lead;        /* zeros between the point and the first such digit, when 0.000... */
};

/* Reads the grammar of RFC 8259 section 6. */
static bool number_shape(struct parser *s, struct shape *n)
{
    const char *p = s->p;
    *n = (struct shape){.zero = true};
    p += p < s->end && *p == '-';
    if (!is_digit(p, s->end) || (*p == '0' && is_digit(p + 1, s->end))) {
        return false;
    }
    for (; is_digit(p, s->end); p++) {
        n->zero = n->zero && *p == '0';
        n->significant += !n->zero;
    }
    if (p < s->end && *p == '.') {
        n->point = true;
        if (!is_digit(++p, s->end)) {
            return false;
        }
        for (; is_digit(p, s->end); p++) {
            n->zero = n->zero && *p == '0';
            n->significant += !n->zero;
            n->lead += n->zero;
        }
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        n->exponent = true;
        p++;
        p += p < s->end && (*p == '+' || *p == '-');
        if (!is_digit(p, s->end)) {
            return false;
        }
        while (is_digit(p, s->end)) {
            p++;
        }
    }
    n->text = (struct pof_text){s->p, (size_t)(p - s->p)};
    return true;
}

/* Below 2^53 in magnitude? text is an integer of at most 16 digits. */
static bool below_2_53(struct pof_text text)
{
    uint64_t v = 0;
    for (size_t i = text.ptr[0] == '-'; i < text.len; i++) {
        v = v * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return v < UINT64_C(1) << 53;
}

/* Through a double: the general way. */
static int number_by_value(struct parser *s, struct pof_text text)
{
    double v;
    if (!pof_real_parse(text, &v)) {
        return refuse(s, POF_E_NUMBER, "a number beyond the range of a double");
    }
    int rc = pof_buf_reserve(s->to, POF_REAL_MAX, s->err);
    s->to->len += rc ? 0 : pof_jcs_number(v, s->to->data + s->to->len);
    return rc;
}

static int number(struct parser *s)
{
    struct shape n;
    if (!number_shape(s, &n)) {
        return refuse(s, POF_E_SYNTAX, "not a JSON value");
    }
    struct pof_text t = n.text;
    if (!n.point && !n.exponent) {
        if (n.significant > 16 || !below_2_53(t)) {
            return refuse(s, POF_E_NUMBER,
                          "an integer of 2^53 or more has no exact JSON number; "
                          "write it as a string");
        }
    } else if (n.exponent || n.significant > 15 || n.lead > 5) {
        s->p += t.len;
        return number_by_value(s, t);
    } else {
        while (t.ptr[t.len - 1] == '0') {
            t.len--;
        }
        t.len -= t.ptr[t.len - 1] == '.';
    }
    s->p += n.text.len;
    return n.zero ? pof_buf_add(s->to, "0", 1, s->err) : pof_buf_add(s->to, t.ptr, t.len, s->err);
}

/* --- the order of members --- */

/* The next code point of a canonical name, as a number that sorts like its UTF-16 units: those
 * beyond U+FFFF begin with a surrogate, so they stand between U+D7FF and U+E000. */
static uint32_t next_unit(const char **p, const char *end)
{
    static const char names[] = "btnfr";
    static const char codes[] = "\b\t\n\f\r";
    uint32_t cp = 0;
    if (**p == '\\') {
        const char *known = strchr(names, (*p)[1]);
        if ((*p)[1] == 'u') {
            hex4(*p + 2, end, &cp);
            *p += 6;
        } else {
            cp = (unsigned char)(known ? codes[known - names] : (*p)[1]);
            *p += 2;
        }
        return cp;
    }
    *p += pofi_utf8(*p, end, &cp);
    return cp >= 0x10000 ? cp - 0x10000 + 0xd800 : cp >= 0xe000 ? cp + 0x200000 : cp;
}

static int compare_names(const void *a, const void *b)
{
    const struct pof_jcs_member *x = a;
    const struct pof_jcs_member *y = b;
    if (x->plain && y->plain) {
        int c = memcmp(x->text, y->text, x->name < y->name ? x->name : y->name);
        return c ? c : (x->name > y->name) - (x->name < y->name);
    }
    const char *p = x->text;
    const char *q = y->text;
    const char *p_end = p + x->name;
    const char *q_end = q + y->name;
    while (p < p_end && q < q_end) {
        uint32_t u = next_unit(&p, p_end);
        uint32_t v = next_unit(&q, q_end);
        if (u != v) {
            return u < v ? -1 : 1;
        }
    }
    return (p < p_end) - (q < q_end);
}

/* Sorts n members; few are the rule, and then insertion is fastest. */
static void sort(struct pof_jcs_member *m, size_t n)
{
    if (n > 24) {
        qsort(m, n, sizeof *m, compare_names);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        struct pof_jcs_member x = m[i];
        size_t k = i;
        for (; k > 0 && compare_names(&x, &m[k - 1]) < 0; k--) {
            m[k] = m[k - 1];
        }
        m[k] = x;
    }
}

/* Points each member to its name in a copy of the output that begins at place `from`; tells whether
 * they stand in order already. */
static bool point_to(struct pof_jcs_member *m, size_t n, const char *copy, size_t from)
{
    bool sorted = true;
    for (size_t i = 0; i < n; i++) {
        m[i].text = copy + (m[i].at - from) + 1;
        sorted = sorted && (i == 0 || compare_names(&m[i - 1], &m[i]) < 0);
    }
    return sorted;
}

/* Puts the members of the object that just ended in order, in the output too. */
static int order(struct parser *s, size_t first)
{
    struct pof_jcs_member *m = s->jcs->member + first;
    size_t n = s->jcs->members - first;
    size_t from = m[0].at;
    if (point_to(m, n, s->to->data + from, from)) {
        return 0;
    }
    struct pof_buf *copy = &s->jcs->scratch;
    copy->len = 0;
    int rc = pof_buf_add(copy, s->to->data + from, m[n - 1].end - from, s->err);
    if (rc) {
        return rc;
    }
    point_to(m, n, copy->data, from);
    sort(m, n);
    char *q = s->to->data + from;
    for (size_t i = 0; i < n; i++) {
        if (i && compare_names(&m[i - 1], &m[i]) == 0) {
            return refuse(s, POF_E_DUPLICATE, "a member name stands twice in an object");
        }
        if (i) {
            *q++ = ',';
        }
        size_t bytes = m[i].end - m[i].at;
        memcpy(q, copy->data + (m[i].at - from), bytes);
        q += bytes;
    }
    return 0;
}

/* --- values --- */

static int literal(struct parser *s, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) {
        return refuse(s, POF_E_SYNTAX, "not a JSON value");
    }
    s->p += n;
    return pof_buf_add(s->to, word, n, s->err);
}

static int open_level(struct parser *s)
{
    if (s->depth == POF_JCS_DEPTH) {
        return refuse(s, POF_E_DEPTH, "nested more than 64 deep");
    }
    s->level[s->depth++] = (struct level){*s->p == '{', false, s->jcs->members};
    return pof_buf_add(s->to, s->p++, 1, s->err);
}

/* A value that begins at s->p: written whole, or opened. */
static int value(struct parser *s)
{
    bool plain;
    skip_space(s);
    if (s->p == s->end) {
        return refuse(s, POF_E_TRUNCATED, "the text ends where a JSON value is expected");
    }
    switch (*s->p) {
    case '{':
    case '[':
        return open_level(s);
    case '"':
        return string(s, &plain);
    case 't':
        return literal(s, "true");
    case 'f':
        return literal(s, "false");
    case 'n':
        return literal(s, "null");
    default:
        return number(s);
    }
}

/* The name and colon of a member. */
static int member(struct parser *s)
{
    struct pof_jcs *j = s->jcs;
    skip_space(s);
    if (s->p == s->end || *s->p != '"') {
        return refuse(s, POF_E_SYNTAX, "a member name in quotes is expected");
    }
    int rc = pof_grow(&j->member, &j->member_cap, j->members + 1, sizeof *j->member, s->err);
    if (rc) {
        return rc;
    }
    size_t at = s->to->len;
    bool plain;
    rc = string(s, &plain);
    if (rc) {
        return rc;
    }
    j->member[j->members++] =
        (struct pof_jcs_member){.at = at, .name = s->to->len - at - 2, .plain = plain};
    skip_space(s);
    if (s->p == s->end || *s->p != ':') {
        return refuse(s, POF_E_SYNTAX, "':' is expected behind a member name");
    }
    s->p++;
    return pof_buf_add(s->to, ":", 1, s->err);
}

/* One step inside the innermost open level: its end, or the next member or element. */
static int step(struct parser *s)
{
    struct level *l = &s->level[s->depth - 1];
    skip_space(s);
    if (s->p == s->end) {
        return refuse(s, POF_E_TRUNCATED, "the text ends inside an object or array");
    }
    int rc = 0;
    if (l->object && l->any) {
        s->jcs->member[s->jcs->members - 1].end = s->to->len;
    }
    if (*s->p == (l->object ? '}' : ']')) {
        rc = l->object && l->any ? order(s, l->first) : 0;
        s->jcs->members = l->first;
        s->depth--;
        return rc ? rc : pof_buf_add(s->to, s->p++, 1, s->err);
    }
    if (l->any) {
        if (*s->p != ',') {
            return refuse(s, POF_E_SYNTAX, "',' or the end of an object or array is expected");
        }
        s->p++;
        rc = pof_buf_add(s->to, ",", 1, s->err);
    }
    l->any = true;
    rc = rc || !l->object ? rc : member(s);
    return rc ? rc : value(s);
}

int pof_jcs_add(struct pof_jcs *jcs, struct pof_text text, struct pof_buf *to, struct pof_err *err)
{
    struct parser s = {.jcs = jcs,
                       .begin = text.ptr,
                       .p = text.ptr,
                       .end = text.ptr + text.len,
                       .to = to,
                       .err = err};
    size_t len = to->len;
    jcs->members = 0;
    int rc = value(&s);
    while (rc == 0 && s.depth > 0) {
        rc = step(&s);
    }
    if (rc == 0) {
        skip_space(&s);
        if (s.p != s.end) {
            rc = refuse(&s, POF_E_SYNTAX, "more text behind a JSON value");
        }
    }
    if (rc) {
        to->len = len;
    }
    return rc;
}

void pof_jcs_release(struct pof_jcs *jcs)
{
    free(jcs->member);
    pof_buf_release(&jcs->scratch);
    *jcs = (struct pof_jcs){0};
}
