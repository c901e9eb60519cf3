/* SPDX-License-Identifier: Apache-2.0 */
/* A spool into which lines land durably before anybody is told that they are there, and from which
 * others take files of whole lines.
 *
 *     DIR/000000000017.jsonl   whole and handed on; whoever takes it removes it
 *     DIR/.000000000018.part   growing
 *     DIR/dead-letters.ndjson  lines that cannot be used, with reasons; grows
 *     DIR/.lock
 *
 * What pof_landing_sync has returned for stays whatever happens to the process or the machine: the
 * next opening cuts a line that was not finished and hands the rest on. There is always one growing
 * file, perhaps empty, so that numbers go up even when all others were taken. Errors: OPEN, CREATE,
 * LOCKED (another process lands there), WRITE. After WRITE nothing is known of lines since the last
 * success: close, and open again. */
#ifndef POF_IO_LANDING_H
#define POF_IO_LANDING_H

#include "base/text.h"

struct pof_landing;

/* Opens an existing directory. *path gets the file that was handed on because it was left behind,
 * "" when there was none; as below. */
int pof_landing_open(struct pof_landing **out, const char *dir, const char **path,
                     struct pof_err *err) POF_CHECKED;
/* Takes a line, without its LF, to the growing file, or to the dead ones. In memory, until the next
 * sync: the caller bounds it by pof_landing_pending. */
int pof_landing_add(struct pof_landing *l, struct pof_text line, struct pof_err *err) POF_CHECKED;
int pof_landing_dead(struct pof_landing *l, struct pof_text line, struct pof_err *err) POF_CHECKED;
/* Bytes that were taken and not synced. */
size_t pof_landing_pending(const struct pof_landing *l);
/* All lines taken are on the disk. */
int pof_landing_sync(struct pof_landing *l, struct pof_err *err) POF_CHECKED;
/* Lines of the growing file. */
size_t pof_landing_lines(const struct pof_landing *l);
/* Hands the growing file on, after a sync; it must have lines. *path is its path, valid until the
 * next call. */
int pof_landing_seal(struct pof_landing *l, const char **path, struct pof_err *err) POF_CHECKED;
/* Files that were handed on and not taken. O(files), but only when there may be `enough` of them,
 * else what is known is given. */
int pof_landing_files(struct pof_landing *l, size_t enough, size_t *n,
                      struct pof_err *err) POF_CHECKED;
/* Lines that were not synced are forgotten. NULL allowed. */
void pof_landing_close(struct pof_landing *l);

#endif
