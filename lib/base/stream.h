/* SPDX-License-Identifier: Apache-2.0 */
/* The two callbacks through which pure code meets bytes. lib/io makes them of files; tests and
 * fuzzers make them of memory. */
#ifndef POF_BASE_STREAM_H
#define POF_BASE_STREAM_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

/* A source of bytes. */
struct pof_source {
    /* As read(2): up to n bytes into to; 0 at the end; negative pof_code with err set on failure.
     * Short counts are allowed; the caller loops. */
    ssize_t (*read)(void *ctx, void *to, size_t n, struct pof_err *err);
    void *ctx;
    const char *name; /* for messages; "-" is standard input */
};

/* A destination of bytes. */
struct pof_sink {
    /* Takes all n bytes or fails; the sink loops, not the caller. */
    int (*write)(void *ctx, const void *from, size_t n, struct pof_err *err);
    void *ctx;
    const char *name;
};

/* A source over n bytes of memory that the caller keeps alive. State lives in *m. */
struct pof_memory {
    const char *ptr;
    size_t len;
};
struct pof_source pof_source_memory(struct pof_memory *m, const char *name);

/* Reads a source to its end into *data (owned by the caller, free with free()), NUL added behind
 * len bytes. More than max bytes is POF_E_TOO_LONG. For documents, not for record streams. */
int pof_source_slurp(const struct pof_source *src, size_t max, char **data, size_t *len,
                     struct pof_err *err) POF_CHECKED;

#endif
