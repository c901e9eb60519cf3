/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: the table of record types once more, as reading and writing at speed want it:
 * the bytes around a value as they stand in a line, words padded to one size, bounds in the unit of
 * the member. Made by the preprocessor from records.def; nothing is computed at run time. */
#ifndef POF_RECORD_PLAN_H
#define POF_RECORD_PLAN_H

#include "record/record.h"

enum {
    POFI_KEY_MAX = 32,    /* bytes of the longest ,"name":" padded with zeros */
    POFI_WORD_MAX = 24,   /* bytes of the longest word, padded with zeros */
    POFI_BEGIN_MAX = 48, /* bytes of the longest {"schema":"pof.name/1" */
    POFI_FIELDS = 64  /* fields of a record at most: bits of `has` */
};

/* One field. */
struct pofi_step {
    char key[POFI_KEY_MAX]; /* ,"name": and the quote that opens a string */
    uint8_t key_len;
    uint8_t kind; /* enum pof_kind */
    uint8_t words;
    uint8_t quoted; /* 1: its value stands in quotes */
    uint32_t offset;
    const char (*word)[POFI_WORD_MAX];
    int64_t min, max; /* bytes of a TEXT; values of INT; millionths of MICRO */
};

/* One record type. */
struct pofi_plan {
    char begin[POFI_BEGIN_MAX]; /* {"schema":"pof.offer/1" */
    uint8_t begin_len;
    uint8_t n;
    uint32_t size;     /* of the structure */
    uint64_t required; /* bits of fields that must be there */
    const struct pofi_step *step;
};

/* type must be one of the table. */
const struct pofi_plan *pofi_plan(enum pof_type type);
/* The bits of its TEXT and DATE fields. */
uint64_t pofi_texts(enum pof_type type);
/* The bits of its REAL and MILLIS fields: the same value has several plain forms. */
uint64_t pofi_many_forms(enum pof_type type);

#endif
