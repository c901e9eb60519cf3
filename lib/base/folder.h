/* SPDX-License-Identifier: Apache-2.0 */
/* The callbacks through which pure code keeps files: lib/io makes them of a directory, tests of
 * memory that can fail and lose power. One writer at a time. */
#ifndef POF_BASE_FOLDER_H
#define POF_BASE_FOLDER_H

#include "base/text.h"

/* A place in a file of the folder. */
struct pof_place {
    const char *file;
    uint64_t at; /* bytes from its beginning */
};

struct pof_folder {
    /* Bytes in a file; POF_E_OPEN when there is none of that name. */
    int (*size)(void *ctx, const char *file, uint64_t *size, struct pof_err *err);
    /* Exactly n bytes, or POF_E_TRUNCATED. */
    int (*read)(void *ctx, struct pof_place from, void *to, size_t n, struct pof_err *err);
    /* All n bytes or an error; the file is made when there is none. Not durable before sync. */
    int (*write)(void *ctx, struct pof_place to, const void *from, size_t n, struct pof_err *err);
    /* Shortens a file. */
    int (*cut)(void *ctx, const char *file, uint64_t size, struct pof_err *err);
    /* What was written to a file, and its name, is on the disk when this returns 0. After an
     * error nothing is known about what was written since the last success: do not try again. */
    int (*sync)(void *ctx, const char *file, struct pof_err *err);
    /* Puts bytes in place of the file as a whole, durably: a reader, and who comes after a crash,
     * sees the old content or the new. */
    int (*replace)(void *ctx, const char *file, struct pof_text bytes, struct pof_err *err);
    void *ctx;
    const char *name; /* for messages */
};

/* Reads a whole file of at most max bytes (more: POF_E_TOO_LONG) into *data, owned by the caller,
 * NUL added. */
int pof_folder_slurp(const struct pof_folder *f, const char *file, size_t max, struct pof_buf *data,
                     struct pof_err *err) POF_CHECKED;

#endif
