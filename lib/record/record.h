/* SPDX-License-Identifier: Apache-2.0 */
/* Record types: the structures and the table behind them.
 *
 * struct pof_offer, struct pof_request ... have one member for each FIELD of records.def and a bit
 * set `has` that says which optional fields are there (required ones always are). TEXT members are
 * views: a reader's record is valid until its next call; copy with pof_record_copy() to keep it. */
#ifndef POF_RECORD_RECORD_H
#define POF_RECORD_RECORD_H

#include "base/mem.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define POF_CTYPE_TEXT struct pof_text
#define POF_CTYPE_WORD int
#define POF_CTYPE_INT int64_t
#define POF_CTYPE_MICRO int64_t
#define POF_CTYPE_REAL double
#define POF_CTYPE_INSTANT int64_t
#define POF_CTYPE_MILLIS int64_t
#define POF_CTYPE_DATE struct pof_text

/* struct pof_pod { uint64_t has; struct pof_text pod; ... }; */
#define RECORD(type, version, text)                                                                \
    struct pof_##type {                                                                            \
        uint64_t has;
#define FIELD(type, KIND, member, name, need, words, min, max, unit, text) POF_CTYPE_##KIND member;
#define END(type)                                                                                  \
    }                                                                                              \
    ;
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END

/* enum { POF_BIT_pod_pod, POF_BIT_pod_node, ... }: the places of fields in their records. */
#define RECORD(type, version, text) enum {
#define FIELD(type, KIND, member, name, need, words, min, max, unit, text) POF_BIT_##type##_##member,
#define END(type)                                                                                  \
    POF_FIELDS_##type                                                                              \
    }                                                                                              \
    ;
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END

/* Is an optional field there? POF_HAS(r, request, branch); and mark it as given. */
#define POF_HAS(r, type, member) (((r)->has >> POF_BIT_##type##_##member) & 1u)
#define POF_SET(r, type, member) ((r)->has |= UINT64_C(1) << POF_BIT_##type##_##member)

/* enum pof_type { POF_pod, POF_availability, ..., POF_TYPES }; */
enum pof_type {
#define RECORD(type, version, text) POF_##type,
#define FIELD(type, KIND, member, name, need, words, min, max, unit, text)
#define END(type)
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END
    POF_TYPES
};

/* Any record: type says which member. */
struct pof_record {
    enum pof_type type;
    union {
        uint64_t has; /* first member of every record */
#define RECORD(type, version, text) struct pof_##type type;
#define FIELD(type, KIND, member, name, need, words, min, max, unit, text)
#define END(type)
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END
    } u;
};

enum pof_kind {
    POF_KIND_TEXT,
    POF_KIND_WORD,
    POF_KIND_INT,
    POF_KIND_MICRO,
    POF_KIND_REAL,
    POF_KIND_INSTANT,
    POF_KIND_MILLIS,
    POF_KIND_DATE
};

/* One FIELD row. */
struct pof_field {
    const char *name;
    size_t name_len;
    enum pof_kind kind;
    bool required;
    const char *const *words; /* NULL-terminated; NULL unless kind is WORD */
    int64_t min;
    int64_t max;
    size_t offset; /* of the member in its structure */
    const char *unit;
    const char *text;
};

/* One RECORD. */
struct pof_layout {
    const char *name;   /* "offer" */
    const char *schema; /* "pof.offer/1" */
    int version;
    const char *text;
    const struct pof_field *fields;
    size_t n;
    size_t size; /* of the structure */
};

const struct pof_layout *pof_layout(enum pof_type type);
/* The type of a name ("offer") or schema ("pof.offer/1"); POF_TYPES when unknown. */
enum pof_type pof_type_of(struct pof_text name_or_schema);
/* The words of a set by its name in words.def, for example "direction"; NULL when unknown. */
const char *const *pof_words(const char *set);
/* The index of a word in a NULL-terminated list, -1 when it is not there. */
int pof_word_of(const char *const *words, struct pof_text word);

/* Copies a record's structure (from, of the given type) into to and its texts into the arena. */
int pof_record_copy(enum pof_type type, const void *from, void *to, struct pof_arena *arena,
                    struct pof_err *err) POF_CHECKED;

/* A member by the name of its field; NULL: the type has none, or it is not given. */
const void *pof_record_get(const struct pof_record *r, const char *name);
/* The first field in which two structures of a type differ; NULL: none. */
const struct pof_field *pof_record_differ(enum pof_type type, const void *a, const void *b);

/* The first optional field that is given and not among those known (bits POF_BIT_...): what who turns records into
 * something else must not drop. NULL: none. */
const struct pof_field *pof_record_beyond(enum pof_type type, uint64_t has, uint64_t known);

/* Checks a structure built by a program as a reader would (required texts not empty, ranges, words,
 * finite reals). Used before writing. */
int pof_record_check(enum pof_type type, const void *record, struct pof_err *err) POF_CHECKED;

#endif
