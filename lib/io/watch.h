/* SPDX-License-Identifier: Apache-2.0 */
/* A folder into which others put files: who is there, and waiting for the next (inotify(7)). */
#ifndef POF_IO_WATCH_H
#define POF_IO_WATCH_H

#include "base/text.h"

struct pof_watch;

/* Begins to watch a directory. POF_E_OPEN when there is none. */
int pof_watch_open(struct pof_watch **out, const char *path, struct pof_err *err) POF_CHECKED;
/* Waits until a file was closed after writing, moved in or out, or removed since the last call (or since
 * the opening); several at once count as one. */
int pof_watch_wait(struct pof_watch *w, struct pof_err *err) POF_CHECKED;
void pof_watch_close(struct pof_watch *w);

/* Which files of a folder are meant: the last `most`, in byte order of their names, of those that end so
 * and do not begin with a dot. */
struct pof_watch_files {
    const char *path, *ending;
    size_t most;
};

/* Their paths ("DIR/NAME") in order, NULL behind; list and texts in the arena. *n gets their number.
 * O(n log n). */
int pof_watch_list(const struct pof_watch_files *which, struct pof_arena *arena, char ***list, size_t *n,
                   struct pof_err *err) POF_CHECKED;

#endif
