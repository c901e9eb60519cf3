/* SPDX-License-Identifier: Apache-2.0 */
/* A log's full verification, in words for people: its own files, or static tiles of anybody. */
#ifndef POF_TRUST_VERIFY_H
#define POF_TRUST_VERIFY_H

#include "trust/compare.h"
#include "trust/openings.h"
#include "trust/tiles.h"

enum { POF_VERIFY_LINES = 100 }; /* findings of a kind that are told; the rest is counted */

/* What to verify. */
struct pof_verification {
    struct pof_log *log;           /* opened to read; not owned; NULL when `tiles` is set */
    struct pof_tiles *tiles;       /* not owned; NULL when `log` is set */
    struct pof_openings *openings; /* of its commitments; NULL: none are known */
    const struct pof_vkey *key;    /* who must have signed; NULL: the key in the folder */
    const struct pof_given *given; /* records to compare; NULL: none */
    bool has_at;                   /* they stand from place `at` on; else they are the whole log */
    uint64_t at;
};

/* Audits the log and compares the records given. Adds a report to a buffer, one finding a line;
 * *good tells whether everything is as it was signed and given. */
int pof_verify(const struct pof_verification *what, struct pof_buf *report, bool *good,
               struct pof_err *err) POF_CHECKED;

#endif
