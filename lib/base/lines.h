/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a source, whatever they hold. */
#ifndef POF_BASE_LINES_H
#define POF_BASE_LINES_H

#include "base/stream.h"
#include "base/text.h"

/* Initialise with {.src = ..., .max = ...}; end with pof_lines_release. */
struct pof_lines {
    struct pof_source src;
    size_t max;      /* bytes of a line without its LF */
    uint64_t number; /* of the last line given, from 1 */
    uint64_t offset; /* bytes of the source before it */
    struct pof_buf buf;
    size_t pos;
    uint64_t dropped; /* bytes of the source that are no longer in buf */
    bool eof;
    bool too_long; /* the rest of a line is still to be skipped */
};

/* 1: *line is the next line without its LF (a last one may lack it) and a CR before it, valid until
 * the next call; 0: the end; negative: READ, NOMEM, after which nothing more can be read, or
 * TOO_LONG, after which the rest of the line is skipped. Errors carry the place. */
int pof_lines_next(struct pof_lines *l, struct pof_text *line, struct pof_err *err) POF_CHECKED;
void pof_lines_release(struct pof_lines *l);

#endif
