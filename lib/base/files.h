/* SPDX-License-Identifier: Apache-2.0 */
/* The callbacks through which pure code meets a directory of many small files, named by paths of
 * its own making ("tile/0/x001/002"). lib/io/tree.c makes them of a directory. */
#ifndef POF_BASE_FILES_H
#define POF_BASE_FILES_H

#include "base/text.h"

/* A file of at most max bytes. */
struct pof_wanted {
    const char *path;
    size_t max;
};

struct pof_files {
    /* A whole file in place of what the buffer holds; *there is false, and nothing else happens,
     * when there is none. TOO_LONG when it has more than is wanted. */
    int (*get)(void *ctx, struct pof_wanted file, struct pof_buf *to, bool *there,
               struct pof_err *err);
    /* A file that appears whole, in place of what was there; directories are made. Durable after
     * sync. */
    int (*put)(void *ctx, const char *path, struct pof_text bytes, struct pof_err *err);
    /* All that was put is on the disk. */
    int (*sync)(void *ctx, struct pof_err *err);
    /* The names in a directory, in byte order, each with a LF, in place of what the buffer holds;
     * nothing when there is no such directory. */
    int (*list)(void *ctx, const char *path, struct pof_buf *names, struct pof_err *err);
    void *ctx;
    const char *name; /* for messages */
};

#endif
