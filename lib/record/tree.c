/* SPDX-License-Identifier: Apache-2.0 */
/* Plain JSON documents, about ten times as fast as by the library. */
#include "record/tree.h"

#include "num/real.h"
#include "record/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MAX = 64, INTEGER_DIGITS = 18 };

/* An object or array whose end has not come yet; its members so far lie on the stack. */
struct open {
    bool object;
    size_t base;
};

struct tree_reader {
    char *p, *end; /* a copy of the text that gets NULs behind its strings */
    struct pof_arena *arena;
    struct pofi_tree_member *stack;
    size_t n, cap;
    struct open open[POFI_DEPTH];
    size_t depth;
    struct pof_err *err;
    int rc; /* negative: out of memory */
};

static void blanks(struct tree_reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r')) {
        r->p++;
    }
}

static bool take(struct tree_reader *r, char c)
{
    bool there = r->p < r->end && *r->p == c;
    r->p += there;
    return there;
}

/* A string without escapes; its closing quote becomes a NUL. */
static bool string(struct tree_reader *r, struct pof_text *out)
{
    if (!take(r, '"')) {
        return false;
    }
    char *start = r->p;
    while (r->p < r->end && *r->p != '"' && *r->p != '\\' && (unsigned char)*r->p >= 0x20) {
        r->p++;
    }
    if (r->p == r->end || *r->p != '"') {
        return false;
    }
    *out = (struct pof_text){start, (size_t)(r->p - start)};
    *r->p++ = '\0';
    return true;
}

static bool number(struct tree_reader *r, struct pofi_tree *v)
{
    const char *start = r->p, *q = r->p + (*r->p == '-');
    while (q < r->end && *q >= '0' && *q <= '9') {
        q++;
    }
    const char *stop = pof_real_scan(start, r->end, POF_REAL_JSON, &v->u.number);
    if (stop == start || (stop == q && q - start > INTEGER_DIGITS) || !isfinite(v->u.number)) {
        return false;
    }
    if (stop == q && v->u.number == 0) {
        v->u.number = 0; /* an integer has no negative zero */
    }
    v->kind = POFI_TREE_NUMBER;
    r->p += stop - start;
    return true;
}

static bool word(struct tree_reader *r, struct pofi_tree *v)
{
    static const struct {
        const char *text;
        size_t n;
        enum pofi_tree_kind kind;
    } words[] = {{"true", 4, POFI_TREE_TRUE}, {"false", 5, POFI_TREE_FALSE}, {"null", 4, POFI_TREE_NULL}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((size_t)(r->end - r->p) >= words[i].n && memcmp(r->p, words[i].text, words[i].n) == 0) {
            r->p += words[i].n;
            v->kind = words[i].kind;
            return true;
        }
    }
    return false;
}

static bool scalar(struct tree_reader *r, struct pofi_tree *v)
{
    struct pof_text t;
    if (r->p == r->end) {
        return false;
    }
    if (*r->p == '"') {
        if (!string(r, &t)) {
            return false;
        }
        *v = (struct pofi_tree){.kind = POFI_TREE_STRING, .n = t.len, .u.text = t.ptr};
        return true;
    }
    return *r->p == '-' || (*r->p >= '0' && *r->p <= '9') ? number(r, v) : word(r, v);
}

static bool differ(const struct pofi_tree_member *m, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (m[i].name.len == m[k].name.len && pof_text_eq(m[i].name, m[k].name)) {
                return false;
            }
        }
    }
    return true;
}

void pofi_tree_index(struct pofi_tree *object)
{
    for (size_t i = 0; i < object->n; i++) {
        object->names |= pofi_tree_bit(object->u.member[i].name);
    }
}

/* The innermost object or array ends: its members leave the stack for the arena. */
static bool close_one(struct tree_reader *r, struct pofi_tree *v)
{
    struct open o = r->open[--r->depth];
    size_t n = r->n - o.base;
    const struct pofi_tree_member *from = r->stack ? r->stack + o.base : NULL; /* NULL: nothing yet */
    *v = (struct pofi_tree){.kind = o.object ? POFI_TREE_OBJECT : POFI_TREE_ARRAY, .n = n};
    r->n = o.base;
    if (o.object && (n > MEMBERS_MAX || !differ(from, n))) {
        return false;
    }
    void *to = pof_arena_alloc(r->arena, n * (o.object ? sizeof *from : sizeof from->value), r->err);
    if (!to) {
        r->rc = POF_E_NOMEM;
        return false;
    }
    if (o.object) {
        v->u.member = to;
        if (n) {
            memcpy(to, from, n * sizeof *from);
        }
        pofi_tree_index(v);
        return true;
    }
    v->u.item = to;
    for (size_t i = 0; i < n; i++) {
        v->u.item[i] = from[i].value;
    }
    return true;
}

/* The place of the next member of the innermost object or array, with its name. */
static struct pofi_tree_member *next_member(struct tree_reader *r)
{
    struct pofi_tree_member m = {0};
    if (r->open[r->depth - 1].object) {
        blanks(r);
        if (!string(r, &m.name)) {
            return NULL;
        }
        blanks(r);
        if (!take(r, ':')) {
            return NULL;
        }
    }
    r->rc = pof_grow(&r->stack, &r->cap, r->n + 1, sizeof *r->stack, r->err);
    if (r->rc) {
        return NULL;
    }
    r->stack[r->n] = m;
    return &r->stack[r->n++];
}

/* Opens an object or array at the cursor. *empty: it closes at once. */
static bool open_one(struct tree_reader *r, bool *empty)
{
    if (r->depth == POFI_DEPTH) {
        return false;
    }
    bool object = *r->p++ == '{';
    r->open[r->depth++] = (struct open){object, r->n};
    blanks(r);
    *empty = take(r, object ? '}' : ']');
    return true;
}

/* Behind a complete value: closes what ends here, until a comma asks for another value (true) or the
 * root is complete (depth 0). The value is *v; its container's place is found anew, as the stack may
 * move. */
static bool ascend(struct tree_reader *r, struct pofi_tree *v, bool *more)
{
    *more = false;
    while (r->depth > 0) {
        r->stack[r->n - 1].value = *v;
        blanks(r);
        if (take(r, ',')) {
            *more = true;
            return true;
        }
        if (!take(r, r->open[r->depth - 1].object ? '}' : ']') || !close_one(r, v)) {
            return false;
        }
    }
    return true;
}

static bool read_all(struct tree_reader *r, struct pofi_tree *root)
{
    bool more = true;
    while (more) {
        struct pofi_tree v = {0};
        if (r->depth > 0 && !next_member(r)) {
            return false;
        }
        blanks(r);
        if (r->p < r->end && (*r->p == '{' || *r->p == '[')) {
            bool empty;
            if (!open_one(r, &empty)) {
                return false;
            }
            if (!empty) {
                continue;
            }
            if (!close_one(r, &v)) {
                return false;
            }
        } else if (!scalar(r, &v)) {
            return false;
        }
        if (!ascend(r, &v, &more)) {
            return false;
        }
        *root = v;
    }
    blanks(r);
    return r->p == r->end;
}

int pofi_tree_read(struct pofi_tree *root, struct pof_text text, struct pof_arena *arena,
                   struct pof_err *err)
{
    if (text.len == 0 || !pofi_is_utf8(text)) {
        return 0;
    }
    char *copy = pof_arena_text(arena, text.ptr, text.len, err);
    if (!copy) {
        return POF_E_NOMEM;
    }
    struct tree_reader r = {.p = copy, .end = copy + text.len, .arena = arena, .err = err};
    bool plain = read_all(&r, root);
    free(r.stack);
    return r.rc ? r.rc : plain;
}

const struct pofi_tree *pofi_tree_member(const struct pofi_tree *object, struct pof_text name)
{
    const struct pofi_tree_member *m = object->u.member;
    if (!(object->names & pofi_tree_bit(name))) {
        return NULL;
    }
    for (size_t i = 0; i < object->n; i++) {
        if (m[i].name.len == name.len && memcmp(m[i].name.ptr, name.ptr, name.len) == 0) {
            return &m[i].value;
        }
    }
    return NULL;
}
