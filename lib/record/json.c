/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents: plain ones are read by tree.c; jansson reads the others and says what is wrong with
 * those that are none. */
#include "record/json.h"

#include "record/tree.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pof_json_doc {
    struct pofi_tree root;
    struct pof_arena arena;
    const char *name;
};

static enum pof_code code_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return POF_E_NOMEM;
    case json_error_invalid_utf8:
        return POF_E_ENCODING;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return POF_E_NUL;
    case json_error_premature_end_of_input:
        return POF_E_TRUNCATED;
    case json_error_duplicate_key:
        return POF_E_DUPLICATE;
    case json_error_numeric_overflow:
        return POF_E_NUMBER;
    case json_error_stack_overflow:
        return POF_E_DEPTH;
    default:
        return POF_E_SYNTAX;
    }
}

/* A string of jansson's, kept. */
static int keep(struct pof_text *to, const char *text, size_t n, struct pof_arena *arena,
                struct pof_err *err)
{
    *to = (struct pof_text){pof_arena_text(arena, text, n, err), n};
    return to->ptr ? 0 : POF_E_NOMEM;
}

static int convert(struct pofi_tree *to, const json_t *from, struct pof_arena *arena,
                   struct pof_err *err);

static int convert_members(struct pofi_tree *to, const json_t *from, struct pof_arena *arena,
                           struct pof_err *err)
{
    json_t *value = (json_t *)(uintptr_t)from; /* iterates through a non-const handle */
    *to = (struct pofi_tree){.kind = POFI_TREE_OBJECT, .n = json_object_size(from)};
    to->u.member = pof_arena_alloc(arena, to->n * sizeof *to->u.member, err);
    int rc = to->u.member ? 0 : POF_E_NOMEM;
    struct pofi_tree_member *m = to->u.member;
    for (void *i = json_object_iter(value); i && rc == 0; i = json_object_iter_next(value, i)) {
        const char *key = json_object_iter_key(i);
        rc = keep(&m->name, key, strlen(key), arena, err);
        rc = rc ? rc : convert(&m->value, json_object_iter_value(i), arena, err);
        m++;
    }
    if (rc == 0) {
        pofi_tree_index(to);
    }
    return rc;
}

/* As deep as jansson itself reads, which is bounded. */
static int convert(struct pofi_tree *to, const json_t *from, struct pof_arena *arena,
                   struct pof_err *err)
{
    struct pof_text t;
    int rc = 0;
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        return convert_members(to, from, arena, err);
    case JSON_ARRAY:
        *to = (struct pofi_tree){.kind = POFI_TREE_ARRAY, .n = json_array_size(from)};
        to->u.item = pof_arena_alloc(arena, to->n * sizeof *to->u.item, err);
        rc = to->u.item ? 0 : POF_E_NOMEM;
        for (size_t i = 0; rc == 0 && i < to->n; i++) {
            rc = convert(&to->u.item[i], json_array_get(from, i), arena, err);
        }
        return rc;
    case JSON_STRING:
        rc = keep(&t, json_string_value(from), json_string_length(from), arena, err);
        *to = (struct pofi_tree){.kind = POFI_TREE_STRING, .n = t.len, .u.text = t.ptr};
        return rc;
    case JSON_INTEGER:
    case JSON_REAL:
        *to = (struct pofi_tree){.kind = POFI_TREE_NUMBER, .u.number = json_number_value(from)};
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        *to = (struct pofi_tree){.kind = json_is_true(from) ? POFI_TREE_TRUE : POFI_TREE_FALSE};
        return 0;
    default:
        *to = (struct pofi_tree){.kind = POFI_TREE_NULL};
        return 0;
    }
}

static int read_with_jansson(struct pof_json_doc *doc, struct pof_text text, struct pof_err *err)
{
    json_error_t error;
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root) {
        /* jansson leaves some failed allocations without a word. */
        int rc = error.text[0] ? pof_fail(err, code_of(&error), "%s", error.text)
                               : pof_fail(err, POF_E_NOMEM, "out of memory");
        pof_at(err, doc->name, error.line > 0 ? (uint64_t)error.line : 0, NULL);
        return rc;
    }
    int rc = convert(&doc->root, root, &doc->arena, err);
    json_decref(root);
    return rc;
}

int pof_json_parse(struct pof_json_doc **out, const char *text, size_t n, const char *name,
                   struct pof_err *err)
{
    *out = NULL;
    struct pof_json_doc *doc;
    int rc = pof_calloc(&doc, 1, sizeof *doc, err);
    if (rc) {
        return rc;
    }
    doc->name = name;
    rc = pofi_tree_read(&doc->root, (struct pof_text){text, n}, &doc->arena, err);
    if (rc == 0) {
        pof_arena_release(&doc->arena);
        rc = read_with_jansson(doc, (struct pof_text){text, n}, err);
    }
    if (rc < 0) {
        pof_json_free(doc);
        return rc;
    }
    *out = doc;
    return 0;
}

struct pof_json pof_json_root(const struct pof_json_doc *doc)
{
    return (struct pof_json){.value = &doc->root, .doc = doc};
}

void pof_json_free(struct pof_json_doc *doc)
{
    if (doc) {
        pof_arena_release(&doc->arena);
        free(doc);
    }
}

/* --- places --- */

/* Puts text in front of what stands in to from *used on, keeping the end; false when full. */
static bool prepend(char *to, size_t *used, const char *text, size_t n)
{
    if (n > *used) {
        return false;
    }
    *used -= n;
    memcpy(to + *used, text, n);
    return true;
}

/* "/key" with ~ and / escaped as RFC 6901 wants. */
static bool prepend_key(char *to, size_t *used, const char *key)
{
    for (size_t i = strlen(key); i-- > 0;) {
        bool fits = key[i] == '~'   ? prepend(to, used, "~0", 2)
                    : key[i] == '/' ? prepend(to, used, "~1", 2)
                                    : prepend(to, used, key + i, 1);
        if (!fits) {
            return false;
        }
    }
    return prepend(to, used, "/", 1);
}

/* The pointer of a place and, below it, key (NULL: none). Of a very long one the end is kept. */
static const char *pointer(const struct pof_json *at, const char *key, char *to, size_t size)
{
    size_t used = size - 1;
    to[used] = '\0';
    bool fits = !key || prepend_key(to, &used, key);
    for (; fits && at->parent; at = at->parent) {
        if (at->key) {
            fits = prepend_key(to, &used, at->key);
        } else {
            char number[24];
            int n = snprintf(number, sizeof number, "/%zu", at->index);
            fits = prepend(to, &used, number, (size_t)n);
        }
    }
    return to + used;
}

int pof_json_place(const struct pof_json *at, const char *key, struct pof_err *err)
{
    char place[sizeof err->field];
    return pof_at(err, at->doc->name, 0, pointer(at, key, place, sizeof place));
}

int pof_json_fail(const struct pof_json *at, const char *key, struct pof_err *err,
                  enum pof_code code, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    pof_fail(err, code, "%s", text);
    pof_json_place(at, key, err);
    return code;
}

/* --- values --- */

static const struct pofi_tree *value_of(const struct pof_json *at)
{
    return at->value;
}

static const char *kind_of(const struct pofi_tree *value)
{
    switch (value->kind) {
    case POFI_TREE_OBJECT:
        return "an object";
    case POFI_TREE_ARRAY:
        return "an array";
    case POFI_TREE_STRING:
        return "a string";
    case POFI_TREE_NUMBER:
        return "a number";
    case POFI_TREE_TRUE:
    case POFI_TREE_FALSE:
        return "true or false";
    case POFI_TREE_NULL:
        break;
    }
    return "null";
}

static int wrong_type(const struct pof_json *at, const char *key, const struct pofi_tree *value,
                      const char *want, struct pof_err *err)
{
    return pof_json_fail(at, key, err, POF_E_TYPE, "found %s, expected %s", kind_of(value), want);
}

int pof_json_is_object(const struct pof_json *at, struct pof_err *err)
{
    return value_of(at)->kind == POFI_TREE_OBJECT
               ? 0
               : wrong_type(at, NULL, at->value, "an object", err);
}

int pof_json_is_array(const struct pof_json *at, struct pof_err *err)
{
    return value_of(at)->kind == POFI_TREE_ARRAY ? 0
                                                 : wrong_type(at, NULL, at->value, "an array", err);
}

static bool known(const char *const *keys, const char *key)
{
    for (; *keys; keys++) {
        if (strcmp(*keys, key) == 0) {
            return true;
        }
    }
    return strncmp(key, "x_", 2) == 0;
}

int pof_json_only(const struct pof_json *object, const char *const *keys, struct pof_err *err)
{
    const struct pofi_tree *v = object->value;
    for (size_t i = 0; v->kind == POFI_TREE_OBJECT && i < v->n; i++) {
        const char *key = v->u.member[i].name.ptr;
        if (!known(keys, key)) {
            return pof_json_fail(object, key, err, POF_E_UNKNOWN,
                                 "unknown member '%.60s'; members of one's own begin with 'x_'",
                                 key);
        }
    }
    return 0;
}

bool pof_json_alike(const struct pof_json *a, const struct pof_json *b)
{
    const struct pofi_tree *x = a->value, *y = b->value;
    bool same = x->kind == POFI_TREE_OBJECT && y->kind == POFI_TREE_OBJECT && x->n == y->n &&
                x->names == y->names;
    for (size_t i = 0; same && i < x->n; i++) {
        const struct pofi_tree_member *m = &x->u.member[i], *n = &y->u.member[i];
        same = m->value.kind != POFI_TREE_NULL && n->value.kind != POFI_TREE_NULL &&
               pof_text_eq(m->name, n->name);
    }
    return same;
}

bool pof_json_member(const struct pof_json *object, const char *key, struct pof_json *out)
{
    const struct pofi_tree *v = object->value;
    struct pof_text name = {key, strlen(key)};
    if (v->kind != POFI_TREE_OBJECT || !(v->names & pofi_tree_bit(name))) { /* mostly it is not there */
        return false;
    }
    v = pofi_tree_member(v, name);
    if (!v || v->kind == POFI_TREE_NULL) {
        return false;
    }
    *out = (struct pof_json){.value = v, .doc = object->doc, .parent = object, .key = key};
    return true;
}

size_t pof_json_size(const struct pof_json *array)
{
    return value_of(array)->kind == POFI_TREE_ARRAY ? value_of(array)->n : 0;
}

struct pof_json pof_json_item(const struct pof_json *array, size_t i)
{
    return (struct pof_json){
        .value = &value_of(array)->u.item[i], .doc = array->doc, .parent = array, .index = i};
}

bool pof_json_each(const struct pof_json *object, size_t i, struct pof_json *out)
{
    const struct pofi_tree *v = object->value;
    if (v->kind != POFI_TREE_OBJECT || i >= v->n) {
        return false;
    }
    const struct pofi_tree_member *m = &v->u.member[i];
    *out = (struct pof_json){
        .value = &m->value, .doc = object->doc, .parent = object, .key = m->name.ptr};
    return true;
}

bool pof_json_scalar(const struct pof_json *at, double *number, struct pof_text *text)
{
    const struct pofi_tree *v = at->value;
    if (v->kind == POFI_TREE_NUMBER) {
        *number = v->u.number;
    } else if (v->kind == POFI_TREE_STRING) {
        *text = (struct pof_text){v->u.text, v->n};
    }
    return v->kind != POFI_TREE_OBJECT && v->kind != POFI_TREE_ARRAY;
}

static int missing(const struct pof_json *object, const char *key, struct pof_err *err)
{
    return pof_json_fail(object, key, err, POF_E_MISSING, "'%s' is required", key);
}

int pof_json_text_opt(const struct pof_json *object, const char *key, struct pof_text *out,
                      struct pof_err *err)
{
    struct pof_json at;
    if (!pof_json_member(object, key, &at)) {
        return 0;
    }
    const struct pofi_tree *value = at.value;
    if (value->kind != POFI_TREE_STRING) {
        return wrong_type(object, key, value, "a string", err);
    }
    if (value->n == 0) {
        return pof_json_fail(object, key, err, POF_E_RANGE, "the text is empty");
    }
    *out = (struct pof_text){value->u.text, value->n};
    return 1;
}

int pof_json_text(const struct pof_json *object, const char *key, struct pof_text *out,
                  struct pof_err *err)
{
    int rc = pof_json_text_opt(object, key, out, err);
    return rc == 0 ? missing(object, key, err) : rc < 0 ? rc : 0;
}

int pof_json_array(const struct pof_json *object, const char *key, struct pof_json *out,
                   struct pof_err *err)
{
    return pof_json_member(object, key, out) ? pof_json_is_array(out, err)
                                             : missing(object, key, err);
}

/* A number at a place; key is NULL for the place itself. */
static int real_of(const struct pof_json *at, const char *key, const struct pofi_tree *value,
                   const struct pof_json_range *range, double *out, struct pof_err *err)
{
    if (value->kind != POFI_TREE_NUMBER) {
        return wrong_type(at, key, value, "a number", err);
    }
    double v = value->u.number;
    if (!isfinite(v)) {
        return pof_json_fail(at, key, err, POF_E_NUMBER, "the number is not finite");
    }
    if (range && (v < range->min || v > range->max)) {
        return pof_json_fail(at, key, err, POF_E_RANGE, "%.15g is not in %.15g .. %.15g%s%s", v,
                             range->min, range->max, range->hint ? "; " : "",
                             range->hint ? range->hint : "");
    }
    *out = v;
    return 0;
}

int pof_json_real_opt(const struct pof_json *object, const char *key,
                      const struct pof_json_range *range, double *out, struct pof_err *err)
{
    struct pof_json at;
    if (!pof_json_member(object, key, &at)) {
        return 0;
    }
    int rc = real_of(object, key, at.value, range, out, err);
    return rc ? rc : 1;
}

int pof_json_reals(const struct pof_json *at, const struct pof_json_range *range, double *out, size_t n,
                   struct pof_err *err)
{
    int rc = pof_json_is_array(at, err);
    if (rc == 0 && pof_json_size(at) != n) {
        rc = pof_json_fail(at, NULL, err, POF_E_COLUMNS, "%zu numbers are given, %zu are needed",
                           pof_json_size(at), n);
    }
    for (int check = 1; check >= 0 && rc == 0; check--) {
        for (size_t i = 0; i < n && rc == 0; i++) {
            struct pof_json item = pof_json_item(at, i);
            double v;
            rc = real_of(&item, NULL, item.value, range, check ? &v : &out[i], err);
        }
    }
    return rc;
}

int pof_json_real(const struct pof_json *object, const char *key,
                  const struct pof_json_range *range, double *out, struct pof_err *err)
{
    int rc = pof_json_real_opt(object, key, range, out, err);
    return rc == 0 ? missing(object, key, err) : rc < 0 ? rc : 0;
}

int pof_json_bool_opt(const struct pof_json *object, const char *key, bool *out,
                      struct pof_err *err)
{
    struct pof_json at;
    if (!pof_json_member(object, key, &at)) {
        return 0;
    }
    enum pofi_tree_kind kind = value_of(&at)->kind;
    if (kind != POFI_TREE_TRUE && kind != POFI_TREE_FALSE) {
        return wrong_type(object, key, at.value, "true or false", err);
    }
    *out = kind == POFI_TREE_TRUE;
    return 1;
}

/* "a, b or c" */
static void list_words(const char *const *words, char *to, size_t size)
{
    size_t used = 0;
    to[0] = '\0';
    for (size_t i = 0; words[i] && used < size; i++) {
        const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        int n = snprintf(to + used, size - used, "%s%s", between, words[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

int pof_json_word_opt(const struct pof_json *object, const char *key, const char *const *words,
                      int *out, struct pof_err *err)
{
    struct pof_text text;
    int rc = pof_json_text_opt(object, key, &text, err);
    if (rc <= 0) {
        return rc;
    }
    for (int i = 0; words[i]; i++) {
        if (pof_text_is(text, words[i])) {
            *out = i;
            return 1;
        }
    }
    char all[160];
    list_words(words, all, sizeof all);
    return pof_json_fail(object, key, err, POF_E_ENUM, "'%.40s' is not %s", text.ptr, all);
}
