/* SPDX-License-Identifier: Apache-2.0 */
/* records.def as steps of reading and writing. */
#include "record/plan.h"

#include "record/words.def"

#include <stddef.h>

#define SET(name, ...) static const char words_##name[][POFI_WORD_MAX] = {__VA_ARGS__};
WORD_SETS(SET)
#undef SET
static const char words_none[1][POFI_WORD_MAX];

/* A string's quote belongs to what stands before its value. */
#define KEY_BARE(name) ",\"" name "\":"
#define KEY_QUOTED(name) ",\"" name "\":\""
#define KEY_TEXT KEY_QUOTED
#define KEY_WORD KEY_QUOTED
#define KEY_INT KEY_BARE
#define KEY_MICRO KEY_BARE
#define KEY_REAL KEY_BARE
#define KEY_INSTANT KEY_QUOTED
#define KEY_MILLIS KEY_QUOTED
#define KEY_DATE KEY_QUOTED

/* The bounds of a MICRO field are whole units; their fractions away from zero are inside. */
#define UNIT_TEXT 1
#define UNIT_WORD 1
#define UNIT_INT 1
#define UNIT_MICRO 1000000
#define UNIT_REAL 1
#define UNIT_INSTANT 1
#define UNIT_MILLIS 1
#define UNIT_DATE 1
#define LOWEST(min, unit) ((min) * INT64_C(1) * (unit) - ((min) < 0 ? (unit)-1 : 0))
#define HIGHEST(max, unit) ((max) * INT64_C(1) * (unit) + ((unit)-1))

#define RECORD(type, version, text) static const struct pofi_step steps_##type[] = {
#define FIELD(type, KIND, member, name, need, set, min, max, unit, text)                           \
    {KEY_##KIND(name),                                                                             \
     sizeof KEY_##KIND(name) - 1,                                                                  \
     POF_KIND_##KIND,                                                                              \
     sizeof words_##set / POFI_WORD_MAX,                                                               \
     sizeof KEY_##KIND(name) == sizeof KEY_QUOTED(name),                                           \
     offsetof(struct pof_##type, member),                                                          \
     words_##set,                                                                                  \
     LOWEST(min, UNIT_##KIND),                                                                     \
     HIGHEST(max, UNIT_##KIND)},
#define END(type)                                                                                  \
    }                                                                                              \
    ;
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END

/* A key that fills its place would not be followed by a zero. */
#define RECORD(type, version, text)                                                                \
    _Static_assert(sizeof "{\"schema\":\"pof." #type "/" #version "\"" <= POFI_BEGIN_MAX, "schema");  \
    _Static_assert((int)POF_FIELDS_##type <= (int)POFI_FIELDS, "fields");
#define FIELD(type, KIND, member, name, need, set, min, max, unit, text)                           \
    _Static_assert(sizeof KEY_QUOTED(name) <= POFI_KEY_MAX, "name");
#define END(type)
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END

#define BIT(type, member) (UINT64_C(1) << POF_BIT_##type##_##member)
#define REQUIRED 1
#define OPTIONAL 0
static const struct pofi_plan plans[] = {
#define RECORD(type, version, text)                                                                \
    {.begin = "{\"schema\":\"pof." #type "/" #version "\"",                                        \
     .begin_len = sizeof "{\"schema\":\"pof." #type "/" #version "\"" - 1,                         \
     .n = POF_FIELDS_##type,                                                                       \
     .size = sizeof(struct pof_##type),                                                            \
     .step = steps_##type,                                                                         \
     .required = 0
#define FIELD(type, KIND, member, name, need, set, min, max, unit, text)                           \
    | (need * BIT(type, member))
#define END(type) },
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END
};

const struct pofi_plan *pofi_plan(enum pof_type type)
{
    return &plans[type];
}

static const uint64_t texts[] = {
#define RECORD(type, version, text) 0
#define FIELD(type, KIND, member, name, need, set, min, max, unit, text)                           \
    | ((POF_KIND_##KIND == POF_KIND_TEXT || POF_KIND_##KIND == POF_KIND_DATE) * BIT(type, member))
#define END(type) ,
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END
};

uint64_t pofi_texts(enum pof_type type)
{
    return texts[type];
}

static const uint64_t many_forms[] = {
#define RECORD(type, version, text) 0
#define FIELD(type, KIND, member, name, need, set, min, max, unit, text)                           \
    | ((POF_KIND_##KIND == POF_KIND_REAL || POF_KIND_##KIND == POF_KIND_MILLIS) * BIT(type, member))
#define END(type) ,
#include "record/records.def"
#undef RECORD
#undef FIELD
#undef END
};

uint64_t pofi_many_forms(enum pof_type type)
{
    return many_forms[type];
}
