/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/record: from the bytes of one line to named values, and from values to members. */
#ifndef POF_RECORD_SCAN_H
#define POF_RECORD_SCAN_H

#include "record/record.h"

enum pofi_value_kind { POFI_STRING, POFI_NUMBER, POFI_WORD, POFI_NULL, POFI_NESTED, POFI_CSV };

/* One member of an object or one column of a row. */
struct pofi_value {
    struct pof_text name;
    struct pof_text text; /* unescaped string, number text, true/false, cell */
    enum pofi_value_kind kind;
};

enum { POFI_MEMBERS = 256, POFI_DEPTH = 64 };

/* The members of one line. */
struct pofi_line {
    struct pofi_value value[POFI_MEMBERS];
    size_t n;
    struct pof_buf scratch; /* where escapes are undone; views into it stay valid for the line */
};

/* A flat JSON object (nested values are checked and kept as POFI_NESTED). Strict RFC 8259: no
 * duplicate names, no lone surrogates, no \u0000. The line must be valid UTF-8 already. */
int pofi_scan_json(struct pofi_line *out, struct pof_text line, struct pof_err *err) POF_CHECKED;

/* The cells of one CSV record (RFC 4180), names left empty. */
int pofi_scan_csv(struct pofi_line *out, struct pof_text line, struct pof_err *err) POF_CHECKED;

/* Values to a record of a type. unknown counts names that are not fields; the first one is copied
 * to first (size 96) when it is still empty. strict refuses them. */
struct pofi_unknown {
    uint64_t count;
    char first[96];
    bool strict;
};
int pofi_assign(const struct pofi_line *line, enum pof_type type, void *record,
                struct pofi_unknown *unknown, struct pof_err *err) POF_CHECKED;

/* Whether bytes are UTF-8 (no surrogates, no overlong forms). O(n). */
bool pofi_is_utf8(struct pof_text t);

#endif
