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

struct pof_buf;
/* Drops the first `used` bytes of *held and reads one more block behind the rest: how many bytes, 0 at the
 * end, a negative pof_code. POF_STREAM_ZEROS zero bytes, not counted, follow what is held. */
enum { POF_STREAM_BLOCK = 256 * 1024, POF_STREAM_ZEROS = 64 };
ssize_t pof_source_more(const struct pof_source *src, struct pof_buf *held, size_t used,
                        struct pof_err *err) POF_CHECKED;

#endif
