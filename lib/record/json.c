/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents: a thin reading layer over jansson. */
#include "record/json.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pof_json_doc {
    json_t *root;
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

int pof_json_parse(struct pof_json_doc **out, const char *text, size_t n, const char *name,
                   struct pof_err *err)
{
    *out = NULL;
    struct pof_json_doc *doc;
    int rc = pof_calloc(&doc, 1, sizeof *doc, err);
    if (rc) {
        return rc;
    }
    json_error_t error;
    doc->name = name;
    doc->root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!doc->root) {
        free(doc);
        /* jansson leaves some failed allocations without a word. */
        rc = error.text[0] ? pof_fail(err, code_of(&error), "%s", error.text)
                           : pof_fail(err, POF_E_NOMEM, "out of memory");
        pof_at(err, name, error.line > 0 ? (uint64_t)error.line : 0, NULL);
        return rc;
    }
    *out = doc;
    return 0;
}

struct pof_json pof_json_root(const struct pof_json_doc *doc)
{
    return (struct pof_json){.value = doc->root, .doc = doc};
}

void pof_json_free(struct pof_json_doc *doc)
{
    if (doc) {
        json_decref(doc->root);
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

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    default:
        return "null";
    }
}

static int wrong_type(const struct pof_json *at, const char *key, const json_t *value,
                      const char *want, struct pof_err *err)
{
    return pof_json_fail(at, key, err, POF_E_TYPE, "found %s, expected %s", kind_of(value), want);
}

int pof_json_is_object(const struct pof_json *at, struct pof_err *err)
{
    return json_is_object((const json_t *)at->value)
               ? 0
               : wrong_type(at, NULL, at->value, "an object", err);
}

int pof_json_is_array(const struct pof_json *at, struct pof_err *err)
{
    return json_is_array((const json_t *)at->value)
               ? 0
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
    /* jansson iterates through a non-const handle but changes nothing. */
    json_t *value = (json_t *)(uintptr_t)object->value;
    for (void *i = json_object_iter(value); i; i = json_object_iter_next(value, i)) {
        const char *key = json_object_iter_key(i);
        if (!known(keys, key)) {
            return pof_json_fail(object, key, err, POF_E_UNKNOWN,
                                 "unknown member '%.60s'; members of one's own begin with 'x_'",
                                 key);
        }
    }
    return 0;
}

bool pof_json_member(const struct pof_json *object, const char *key, struct pof_json *out)
{
    const json_t *value = json_object_get(object->value, key);
    if (!value || json_is_null(value)) {
        return false;
    }
    *out = (struct pof_json){.value = value, .doc = object->doc, .parent = object, .key = key};
    return true;
}

size_t pof_json_size(const struct pof_json *array)
{
    return json_array_size(array->value);
}

struct pof_json pof_json_item(const struct pof_json *array, size_t i)
{
    return (struct pof_json){
        .value = json_array_get(array->value, i), .doc = array->doc, .parent = array, .index = i};
}

bool pof_json_each(const struct pof_json *object, size_t i, struct pof_json *out)
{
    json_t *value = (json_t *)(uintptr_t)object->value;
    void *at = json_object_iter(value);
    for (; at && i > 0; i--) {
        at = json_object_iter_next(value, at);
    }
    if (at) {
        *out = (struct pof_json){.value = json_object_iter_value(at),
                                 .doc = object->doc,
                                 .parent = object,
                                 .key = json_object_iter_key(at)};
    }
    return at != NULL;
}

bool pof_json_scalar(const struct pof_json *at, double *number, struct pof_text *text)
{
    const json_t *value = at->value;
    if (json_is_number(value)) {
        *number = json_number_value(value);
    } else if (json_is_string(value)) {
        *text = (struct pof_text){json_string_value(value), json_string_length(value)};
    }
    return !json_is_object(value) && !json_is_array(value);
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
    const json_t *value = at.value;
    if (!json_is_string(value)) {
        return wrong_type(object, key, value, "a string", err);
    }
    if (json_string_length(value) == 0) {
        return pof_json_fail(object, key, err, POF_E_RANGE, "the text is empty");
    }
    *out = (struct pof_text){json_string_value(value), json_string_length(value)};
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
static int real_of(const struct pof_json *at, const char *key, const json_t *value,
                   const struct pof_json_range *range, double *out, struct pof_err *err)
{
    if (!json_is_number(value)) {
        return wrong_type(at, key, value, "a number", err);
    }
    double v = json_number_value(value);
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
    if (!json_is_boolean((const json_t *)at.value)) {
        return wrong_type(object, key, at.value, "true or false", err);
    }
    *out = json_is_true((const json_t *)at.value);
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
