/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents: parsed whole, read member by member, every complaint with its place.
 *
 * For documents (a grid, a table of terms), not for record streams. Duplicate member names, numbers
 * that are not finite, invalid UTF-8 and NUL bytes are refused. A struct pof_json is a place in a
 * document: it lives on the caller's stack and must not outlive the place it was made from. Errors
 * carry the JSON pointer (RFC 6901) in err->field and the document's name in err->source.
 * The only module that knows jansson. */
#ifndef POF_RECORD_JSON_H
#define POF_RECORD_JSON_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pof_json_doc; /* owned by the caller, freed with pof_json_free */

/* A value and the way to it. All members are private. */
struct pof_json {
    const void *value;
    const struct pof_json_doc *doc;
    const struct pof_json *parent;
    const char *key;
    size_t index;
};

/* Parses n bytes; name is for messages and must live as long as the document. Errors in the text
 * have err->line. */
int pof_json_parse(struct pof_json_doc **out, const char *text, size_t n, const char *name,
                   struct pof_err *err) POF_CHECKED;
struct pof_json pof_json_root(const struct pof_json_doc *doc);
void pof_json_free(struct pof_json_doc *doc);

/* Checks of a value's type. */
int pof_json_is_object(const struct pof_json *at, struct pof_err *err) POF_CHECKED;
int pof_json_is_array(const struct pof_json *at, struct pof_err *err) POF_CHECKED;

/* Refuses members not in keys (NULL-terminated); names that begin with "x_" always pass. */
int pof_json_only(const struct pof_json *object, const char *const *keys,
                  struct pof_err *err) POF_CHECKED;

/* Have two objects the same members, in the same order, none of them null? Then whatever holds for
 * which members the one has holds for the other. */
bool pof_json_alike(const struct pof_json *a, const struct pof_json *b);

/* A member; false when it is not there or null. */
bool pof_json_member(const struct pof_json *object, const char *key, struct pof_json *out);
/* Number of items, and the i-th (i < size). */
size_t pof_json_size(const struct pof_json *array);
struct pof_json pof_json_item(const struct pof_json *array, size_t i);

/* The members one by one: i = 0, 1, ... in their order; false behind the last. O(i). */
bool pof_json_each(const struct pof_json *object, size_t i, struct pof_json *out);

/* A value that is neither object nor array: *number when it is a number, else *text when it is a
 * string; true, false and null leave both alone. false: an object or array. */
bool pof_json_scalar(const struct pof_json *at, double *number, struct pof_text *text);

/* Required members. Texts live as long as the document and hold at least one byte. Limits are
 * inclusive. */
int pof_json_text(const struct pof_json *object, const char *key, struct pof_text *out,
                  struct pof_err *err) POF_CHECKED;
int pof_json_array(const struct pof_json *object, const char *key, struct pof_json *out,
                   struct pof_err *err) POF_CHECKED;

/* A number and what it may be. */
struct pof_json_range {
    double min, max;
    const char *hint; /* what to do, appended to the message; NULL: nothing */
};
int pof_json_real(const struct pof_json *object, const char *key,
                  const struct pof_json_range *range, double *out, struct pof_err *err) POF_CHECKED;

/* n numbers: the place itself is an array of exactly so many. out is only filled in without error. */
int pof_json_reals(const struct pof_json *at, const struct pof_json_range *range, double *out, size_t n,
                   struct pof_err *err) POF_CHECKED;

/* Optional members: *out is left alone when the member is not there. 1: given, 0: not, negative:
 * error. words is NULL-terminated, *out its index. */
int pof_json_text_opt(const struct pof_json *object, const char *key, struct pof_text *out,
                      struct pof_err *err) POF_CHECKED;
int pof_json_real_opt(const struct pof_json *object, const char *key,
                      const struct pof_json_range *range, double *out,
                      struct pof_err *err) POF_CHECKED;
int pof_json_bool_opt(const struct pof_json *object, const char *key, bool *out,
                      struct pof_err *err) POF_CHECKED;
int pof_json_word_opt(const struct pof_json *object, const char *key, const char *const *words,
                      int *out, struct pof_err *err) POF_CHECKED;

/* An error at a place; returns code. key may be NULL: the place itself. */
int pof_json_fail(const struct pof_json *at, const char *key, struct pof_err *err,
                  enum pof_code code, const char *fmt, ...) POF_PRINTF(5, 6);
/* Gives an error that happened elsewhere the place it is about; returns err->code. */
int pof_json_place(const struct pof_json *at, const char *key, struct pof_err *err);

#endif
